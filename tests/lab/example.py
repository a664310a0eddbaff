"""A World with the nodes of the random ones, to build the lab's namespaces from."""

from vpcdns.model.world import World

WORLD = World()
