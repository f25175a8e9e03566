"""The simulator's own calls below ``/simulator/v1``, for tests and tools."""
