"""The work of the ingest leader: one feed connection, from frame to published quote."""
