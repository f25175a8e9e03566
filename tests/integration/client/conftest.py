"""What tests of the client with a real auth share."""

from tests.support.auth_service import key, settings

__all__ = ["key", "settings"]
