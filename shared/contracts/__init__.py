"""The contracts between services over NATS: subjects, messages and requests. Pure."""
