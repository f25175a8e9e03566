"""Random input at the inbound edges: a short form in `make test`, minutes by `make fuzz`."""
