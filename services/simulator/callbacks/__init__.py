"""HTTP clients that post to the servers of the user and of the application."""
