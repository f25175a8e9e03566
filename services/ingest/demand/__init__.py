"""Which instruments are requested, and the subscriptions that satisfy the requests. Pure."""
