"""The rules of accounts, logins and sessions. Pure: no module here does I/O."""
