"""Candles of earlier times from Upstox: fetched on request, or in advance by a command."""
