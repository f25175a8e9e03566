"""The WebSocket servers: market data feed and portfolio stream."""
