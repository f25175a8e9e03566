"""Demand: which instruments are wanted, and what Upstox is asked for to have them. Pure."""
