"""Orders and GTT orders: requests, validation, matching, storage, answers. Opens no socket."""
