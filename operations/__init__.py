"""Commands for operators: setup, administration, keys, bars, and backups."""
