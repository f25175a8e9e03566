"""Fixtures of ingest's tests: an ear on the bus, and a list of two instruments."""

from tests.support.ingest import listener, watchlist

__all__ = ["listener", "watchlist"]
