"""Calls that issue, show and revoke access tokens."""
