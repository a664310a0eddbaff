"""UDP and TCP listeners: octets in, octets out. Ask a `Responder` for what to answer."""
