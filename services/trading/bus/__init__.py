"""The trading service's side of NATS."""
