"""Generators of the reference documents in docs."""
