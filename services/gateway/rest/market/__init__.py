"""Bars, gaps, instruments, last quotes and the state of the feed by REST."""
