"""Fixtures of the tests of the Python client with a real auth."""

from tests.support.auth_service import key, settings

__all__ = ["key", "settings"]
