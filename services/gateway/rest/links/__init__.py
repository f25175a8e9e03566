"""Links to Upstox accounts: REST, the browser's way back from Upstox, and Upstox's own posts."""
