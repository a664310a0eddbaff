"""The query log, recent decisions, counts and metrics.

Knows decided queries and the counters of the parts that serve them; no HTTP. Nothing here may
delay a response or make it fail: what cannot be written is lost, and the loss is counted.
"""
