"""How a process runs: settings, logs, health, tasks, HTTP sites and the MongoDB connection."""
