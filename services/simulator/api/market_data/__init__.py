"""Calls about the market: quotes, candles, calendar, options, instruments."""
