"""Faults on command: which are armed, and their effect on frames. Opens no socket."""
