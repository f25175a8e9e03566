"""Accounts: funds, margin, positions, holdings, charges, reports. Opens no socket."""
