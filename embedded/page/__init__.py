"""The trader's page: its build, checks and development server, with the locked Node.js."""
