"""The one holder of the current World (DESIGN §4).

A reload, an API call and a rehearsal all change the World through here, under the rules of the model;
whoever must know of a new World subscribes. Knows no sockets and no HTTP.
"""

from vpcdns.state.current_world import FILE, Commit, Conflict, Journal, Reread, State, Step

__all__ = ["FILE", "Commit", "Conflict", "Journal", "Reread", "State", "Step"]
