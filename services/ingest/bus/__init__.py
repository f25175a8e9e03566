"""What ingest publishes on NATS and reads from it."""
