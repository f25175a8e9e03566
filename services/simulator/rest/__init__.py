"""Upstox's REST calls about the market: quotes, candles, calendar, options, instruments."""
