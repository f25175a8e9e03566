"""REST below /v1: market data, and orders and accounts."""
