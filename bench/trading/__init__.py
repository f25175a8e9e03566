"""Benchmark of orders: from a REST command, or a quote, to the event on the user's socket."""
