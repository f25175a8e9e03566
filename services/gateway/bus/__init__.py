"""The gateway's use of NATS."""
