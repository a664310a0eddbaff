"""The cloud's own API: CloudAPI 2016-07-14, Vpc 2016-04-28, pvtz 2018-01-01; RPC style, `POST /`.

A request becomes a Call, a Call a Commit of the State under the model's rules, and the answer the cloud's
JSON. Knows HTTP requests as values only; who listens is `control`'s.
"""
