"""The stores of auth in MongoDB."""
