"""The simulated market: instruments, prices, trades, order books, candles. Opens no socket."""
