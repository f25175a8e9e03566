"""The instruments master: loading, storing and searching."""
