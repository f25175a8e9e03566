"""What services exchange over NATS: subjects, messages and requests. Pure."""
