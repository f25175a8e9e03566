"""Upstox accounts that users have linked: login, sealed tokens, expiry."""
