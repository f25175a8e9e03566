"""The owner of a partition: accounts and the paper broker, driven by commands and TICKS."""
