"""Positions and profit and loss, exact to the paisa."""
