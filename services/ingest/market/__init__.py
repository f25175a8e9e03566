"""Exchange time, trading hours, and the timeout of a silent feed. Pure."""
