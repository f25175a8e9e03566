"""The messages that ingest publishes on NATS, and the demands that it receives."""
