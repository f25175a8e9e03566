"""Repair of bars with missing trades, from the one-minute candles of Upstox."""
