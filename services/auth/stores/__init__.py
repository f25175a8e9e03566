"""Auth's records in MongoDB."""
