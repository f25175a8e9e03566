"""The embedded stack: all services and servers on one machine, on loopback, without containers."""
