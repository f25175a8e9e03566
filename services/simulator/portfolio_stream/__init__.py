"""Tells users of their orders, positions, holdings as they change."""
