"""Gateways for tests, in this process or in one of their own, and the clients that use them."""
