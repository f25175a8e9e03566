"""The simulated market: instruments, sessions, trades, candles. Pure."""
