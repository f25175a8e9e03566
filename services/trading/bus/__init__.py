"""NATS side of trading: demand for quotes, and requests for instruments."""
