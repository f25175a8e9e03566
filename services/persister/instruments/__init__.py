"""The instruments master of Upstox: loading, storage and search."""
