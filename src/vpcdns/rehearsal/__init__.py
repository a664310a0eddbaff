"""Changes looked at before they happen: differences of Worlds, and what they mean for whom.

Knows only the model. Nothing here takes effect.
"""
