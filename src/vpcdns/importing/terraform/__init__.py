"""Terraform's state and plans -> an Inventory, and what a plan hides."""
