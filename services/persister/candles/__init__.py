"""Upstox's candles: calls within its limits, and their answers."""
