"""The NATS connection, JetStream streams and buckets, requests with deadlines, and leases."""
