"""The ingest service: receives Upstox's market-data feed and publishes quotes on NATS."""
