"""Merging of feed messages into the state of each instrument. Pure."""
