"""Quotes and candles to five-minute bars. Pure."""
