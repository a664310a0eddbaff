"""The one holder of the current World (DESIGN §4), and where its changes are kept.

A reload and an API call both change the World through State, under the rules of the model; parts that need
every new World subscribe. Knows no sockets (an import contract).
"""

from vpcdns.state.current_world import Reset, Resolved, State, Step
from vpcdns.state.journal import Commit, Contents, Journal, UnusableJournal

__all__ = ["Commit", "Contents", "Journal", "Reset", "Resolved", "State", "Step", "UnusableJournal"]
