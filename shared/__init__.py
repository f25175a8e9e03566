"""What two services must agree on: messages, subjects, errors, and how a process starts."""
