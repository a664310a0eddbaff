"""For those who test against vpcdns: a client, a pytest plugin, a container (docs/testing.md)."""
