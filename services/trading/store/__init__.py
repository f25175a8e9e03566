"""Journal, commands, accounts and checkpoints of the trading service in MongoDB."""
