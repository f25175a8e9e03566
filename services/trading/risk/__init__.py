"""The checks of an order before it is accepted, and its preview."""
