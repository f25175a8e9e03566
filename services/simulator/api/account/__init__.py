"""Calls about a user's account: funds, positions, holdings, costs, reports, user settings."""
