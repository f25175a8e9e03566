"""Simulates Upstox: a seeded market behind Upstox's own protocols, on loopback."""
