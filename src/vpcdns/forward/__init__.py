"""Asks upstreams: attempts, ports, health, cache."""
