"""Owns the single Upstox market-data connection: frames in, quotes on NATS out."""
