"""The floor: what a bare Django view answers that does the same work by hand-written SQL.

No middleware, no models, no serializer, no transaction, no row policies, no counting of requests; the same server with
the same number of processes. What our layers cost is the ratio to it.
"""
