"""NATS: the connection, JetStream streams, requests and leases."""
