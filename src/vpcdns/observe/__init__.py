"""What is told of queries: the log, the latest decisions, the counts, the metrics.

Knows decided queries and the counters of the parts that serve them; no sockets, no HTTP. Nothing here may
delay an answer or fail one: what cannot be told is lost, and the loss is counted.
"""
