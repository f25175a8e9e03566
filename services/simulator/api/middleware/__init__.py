"""Middlewares of the HTTP API, applied to every request."""
