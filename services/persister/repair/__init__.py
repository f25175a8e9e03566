"""Repair of gaps from Upstox's candles."""
