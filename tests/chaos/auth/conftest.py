"""What tests of auth under faults share."""

from tests.support.auth_service import ann, auth, key, settings

__all__ = ["ann", "auth", "key", "settings"]
