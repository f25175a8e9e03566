"""Orders and accounts by REST."""
