"""Access control: tokens, their scopes, one-time codes and rate limits. Opens no socket."""
