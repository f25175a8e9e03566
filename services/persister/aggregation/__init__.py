"""Aggregation of quotes and candles into five-minute bars. Pure."""
