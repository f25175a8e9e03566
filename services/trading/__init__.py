"""Orders and account access: a paper broker for every user, Upstox for those who link it."""
