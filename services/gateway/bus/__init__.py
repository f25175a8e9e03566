"""The gateway's NATS side: relay of quotes, demand, feed status and revocations."""
