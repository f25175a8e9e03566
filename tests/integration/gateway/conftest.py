"""Fixtures of the tests of the gateway: auth behind it."""

from tests.support.auth_service import auth, key, settings

__all__ = ["auth", "key", "settings"]
