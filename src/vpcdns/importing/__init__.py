"""The real thing -> a configuration: Terraform's state and plans, a cloud account."""
