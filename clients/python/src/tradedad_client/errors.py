"""Errors that the client raises.

ClientError
├── Unavailable              temporary; the client retries, and it is the cause of `Unreachable`
├── Unreachable              no stream could be opened within the configured time
├── TooSlow                  the program let more messages wait than a subscription may hold
└── Refused                  final: another attempt would be refused as well
    ├── Unauthenticated      4401: the token or the password is not valid
    ├── Revoked              4403: the session was ended, for example by a logout
    ├── TooMany              4429: too many streams of this user, or too many messages
    ├── NotUnderstood        4400, 1009: client and gateway use different protocol versions
    └── SubscriptionRefused  ends one subscription; the others continue
"""


class ClientError(Exception):
    """Base class of all errors that this package raises."""


class Unavailable(ClientError):
    """The server does not answer, or requests a later attempt.

    `retry_after_secs` is the delay that the server requested. `spread_secs` is the time over
    which clients that were disconnected together should spread their reconnects.
    """

    def __init__(
        self, detail: str, *, retry_after_secs: float | None = None, spread_secs: float = 0.0
    ) -> None:
        super().__init__(detail)
        self.retry_after_secs = retry_after_secs
        self.spread_secs = spread_secs


class Unreachable(ClientError):
    """No stream could be opened in time; `__cause__` is the last error."""


class TooSlow(ClientError):
    """The program did not read messages that may not be dropped; fetch them by REST."""


class Refused(ClientError):
    """A final refusal; `code` is one of Trade Dad's error codes, `field` the invalid field."""

    def __init__(self, detail: str, *, code: str = "", field: str | None = None) -> None:
        super().__init__(f"{detail} ({code})" if code else detail)
        self.detail = detail
        self.code = code
        self.field = field


class Unauthenticated(Refused):
    """The token or the password is not valid."""


class Revoked(Refused):
    """The session was ended on purpose; the user must log in again."""


class TooMany(Refused):
    """More streams than a user may have, or more messages than a stream may send."""


class NotUnderstood(Refused):
    """Client and gateway do not understand each other: their versions do not match."""


class SubscriptionRefused(Refused):
    """A subscription has too many keys, or a key that is not valid."""
