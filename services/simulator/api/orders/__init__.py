"""Calls about orders and GTT orders."""
