"""Logging in as at Upstox: the dialog, the exchange for a token, the approval, the end."""
