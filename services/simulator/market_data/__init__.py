"""Market data answers: quotes, candles, instruments, option chains. Opens no socket."""
