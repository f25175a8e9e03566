"""Journal, commands and checkpoints of the trading service in MongoDB."""
