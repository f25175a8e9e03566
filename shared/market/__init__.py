"""The Indian exchanges' time zone, sessions and holidays. Pure."""
