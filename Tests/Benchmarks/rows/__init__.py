"""The rows of the table, by subject, in the order in which they stand."""

from . import throughput, peers, scale, latency, journal, starting, allocations  # noqa: F401, I001
