"""Storage of bars and gaps in MongoDB."""
