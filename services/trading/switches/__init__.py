"""Kill switches for all users and for instruments: stored, audited, read again and again."""
