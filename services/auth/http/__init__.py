"""The HTTP side of auth."""
