"""A cloud account -> an Inventory, and what has changed in it."""
