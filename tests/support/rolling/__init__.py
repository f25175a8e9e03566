"""A whole stack whose processes are replaced one after the other, and what its clients see of it."""
