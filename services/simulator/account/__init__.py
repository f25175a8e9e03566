"""What a user has: funds, positions, holdings, and what trading them costs."""
