"""The feed: where raw frames come from, and how they are read."""
