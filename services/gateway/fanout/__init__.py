"""Fan-out of messages to subscribers, without a client protocol."""
