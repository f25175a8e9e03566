"""Backups of the database and of the keys, and their restore."""
