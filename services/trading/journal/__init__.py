"""The journal: everything that has changed a user's orders and accounts, in order."""
