"""Fixtures of the tests of ingest: a subscriber to the bus, and a watchlist."""

from tests.support.ingest import listener, watchlist

__all__ = ["listener", "watchlist"]
