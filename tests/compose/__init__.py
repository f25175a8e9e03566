"""Runs docker-compose.yml for real: ``python -m tests.compose``, which `make compose-test` starts."""
