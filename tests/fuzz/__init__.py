"""Random input at every inbound edge: a short form in `make test`, minutes by `make fuzz`."""
