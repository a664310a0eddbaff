"""Changes before they happen: how two Worlds differ, and whom that affects.

Knows the model, and how the configuration is read that a scenario file has in it. Nothing here takes effect.
"""
