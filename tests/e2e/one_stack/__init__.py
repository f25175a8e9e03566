"""Tests that share one stack: starting one costs more than most of them."""
