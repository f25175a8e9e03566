"""Code that several services use: contracts, errors, the bus, HTTP parts and the runtime."""
