"""The order core: terms, events and the order as the fold of its events."""
