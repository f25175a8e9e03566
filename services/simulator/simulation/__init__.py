"""Runs the market along exchange time and records the ground truth. Opens no socket."""
