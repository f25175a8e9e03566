"""Orders at Upstox: what news of them changes, and when unknown ones are looked up."""
