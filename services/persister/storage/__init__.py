"""Bars and gaps in MongoDB."""
