"""The public HTTP and WebSocket server: relays live quotes to authenticated clients."""
