"""Changes before they happen: how two Worlds differ, and whom that affects.

Knows only the model. Nothing here takes effect.
"""
