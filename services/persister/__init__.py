"""Turns quotes into five-minute bars in MongoDB, exactly once whatever dies."""
