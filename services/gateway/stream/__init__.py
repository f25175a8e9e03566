"""The WebSocket stream: sessions, the JSON protocol and subscriptions."""
