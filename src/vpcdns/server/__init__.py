"""The rooms below joined: the resolver, reload, injected faults."""
