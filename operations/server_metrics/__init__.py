"""Figures of NATS, MongoDB and certificates for Prometheus, which those do not serve themselves."""
