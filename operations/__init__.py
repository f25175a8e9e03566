"""Commands for operators: first secrets, and the users of MongoDB."""
