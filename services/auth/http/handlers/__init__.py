"""The HTTP handlers of auth, by resource."""
