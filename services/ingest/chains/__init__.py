"""Option chains in demand: their windows of strikes, and their messages. Pure."""
