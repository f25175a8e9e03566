"""The HTTP API: Upstox's REST calls, and the simulator's own below ``/simulator/v1``."""
