"""A whole system on three nats-servers and three mongods, with load, faults and measurements."""
