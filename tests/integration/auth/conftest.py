"""Fixtures of the tests of auth with real servers."""

from tests.support.auth_service import ann, auth, key, settings

__all__ = ["ann", "auth", "key", "settings"]
