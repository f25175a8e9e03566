"""Access control, rate limits, the proxy to auth, and static files."""
