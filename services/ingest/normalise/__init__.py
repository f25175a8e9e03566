"""Feed messages to the state of each instrument. Pure."""
