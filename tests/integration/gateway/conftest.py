"""What tests of the gateway share: auth itself."""

from tests.support.auth_service import auth, key, settings

__all__ = ["auth", "key", "settings"]
