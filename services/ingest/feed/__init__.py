"""The connection to Upstox's market-data feed, and the decoding of its frames."""
