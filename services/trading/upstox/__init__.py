"""Calls to Upstox for the accounts of linked users, through the official SDK."""
