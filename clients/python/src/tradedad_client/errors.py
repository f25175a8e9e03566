"""What can go wrong for a program that uses this client.

ClientError
├── Unavailable              it may work later; handled inside, and the cause of `Unreachable`
├── Unreachable              there was no stream for longer than we were told to try
├── TooSlow                  the program left more events lying than a subscription may hold
└── Refused                  the other side said no, and would again
    ├── Unauthenticated      4401: no good token, or no good password
    ├── Revoked              4403: the session was ended, by a logout or a new password, say
    ├── TooMany              4429: too many streams of this user, or too many messages
    ├── NotUnderstood        4400, 1009: the two sides speak different versions
    └── SubscriptionRefused  of one subscription; the others go on
"""


class ClientError(Exception):
    """Root of everything that this package raises on purpose."""


class Unavailable(ClientError):
    """The other side does not answer, or asks to come back later.

    `retry_after_secs` is when it asks us to come back; `spread_secs` over how long the many
    that were sent away together have to spread.
    """

    def __init__(
        self, detail: str, *, retry_after_secs: float | None = None, spread_secs: float = 0.0
    ) -> None:
        super().__init__(detail)
        self.retry_after_secs = retry_after_secs
        self.spread_secs = spread_secs


class Unreachable(ClientError):
    """No stream for too long; `__cause__` is what was wrong at last."""


class TooSlow(ClientError):
    """Events that may not be dropped were not taken in time; read them on by REST."""


class Refused(ClientError):
    """A final no; `code` is one of Trade Dad's error codes, `field` is what is to blame."""

    def __init__(self, detail: str, *, code: str = "", field: str | None = None) -> None:
        super().__init__(f"{detail} ({code})" if code else detail)
        self.detail = detail
        self.code = code
        self.field = field


class Unauthenticated(Refused):
    """The token, or the password, is not good."""


class Revoked(Refused):
    """The session was ended on purpose; whoever may must log in again."""


class TooMany(Refused):
    """More streams than this user may have, or more messages than a stream may send."""


class NotUnderstood(Refused):
    """What was sent makes no sense to the other side: the versions do not fit."""


class SubscriptionRefused(Refused):
    """More keys than a stream may hold, or one that is no key at all."""
