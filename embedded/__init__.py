"""The embedded stack: everything on one machine, on loopback, without containers."""
