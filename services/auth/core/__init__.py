"""Accounts, logins and sessions, without I/O. Pure."""
