"""How a process runs: settings, logs, health, tasks and the MongoDB connection."""
