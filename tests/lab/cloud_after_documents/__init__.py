"""A second builder: a configuration wired in the kernel as the cloud's documents say.

It shares nothing with `vpcdns.model` and `vpcdns.lab.blueprint`, so that a mistake in the model's tables is
not made here as well. Its sources are docs/design/facts/routing.md and the pages that it names. A
configuration is plain data here, as it stands in a file.
"""
