"""Charges of an executed leg, to the paisa, from dated rate tables."""
