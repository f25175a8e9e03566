"""Fixtures of the tests of auth under faults."""

from tests.support.auth_service import ann, auth, key, settings

__all__ = ["ann", "auth", "key", "settings"]
