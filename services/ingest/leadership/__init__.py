"""Work of the ingest leader: one connection to the feed, from frame to quote."""
