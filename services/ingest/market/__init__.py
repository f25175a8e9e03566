"""Which segments trade, and whether a silent feed is a fault. Pure."""
