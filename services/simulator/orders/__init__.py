"""Orders as Upstox takes them, from request to fill."""
