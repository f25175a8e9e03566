"""Errors that the client raises.

ClientError
├── Unavailable              temporary; the client retries, and it is the cause of `Unreachable`
├── Unreachable              no stream could be opened within the configured time
├── TooSlow                  the program let more messages wait than a subscription may hold
├── OutcomeUnknown           a command may or may not have been executed; has its key
├── EventsMissing            account events after a sequence number are not stored (any more)
└── Refused                  final: another attempt would be refused as well
    ├── Unauthenticated      4401: the token or the password is not valid
    ├── Revoked              4403: the session was ended, for example by a logout
    ├── TooMany              4429: too many streams of this user, or too many messages
    ├── NotUnderstood        4400, 1009: client and gateway use different protocol versions
    ├── NotFound             no such order or position
    ├── UnknownInstrument    no instrument has this symbol, name or key; has similar ones
    ├── OrderRefused         a check refuses an order; has rule, limit and value
    ├── BrokerRefused        Upstox refuses a command; has its code and words
    ├── OrderFinal           the order can no longer be changed
    └── SubscriptionRefused  ends one subscription; the others continue
"""

import re
from collections.abc import Sequence
from typing import Final

_MOST_SHOWN: Final = 5


class ClientError(Exception):
    """Base class of all errors that this package raises."""


class Unavailable(ClientError):
    """The server does not answer, or requests a later attempt.

    `retry_after_secs` is the delay that the server requested. `spread_secs` is the time over
    which clients that were disconnected together should spread their reconnects. `code` is one
    of Trade Dad's error codes, if it answered with one.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        retry_after_secs: float | None = None,
        spread_secs: float = 0.0,
    ) -> None:
        super().__init__(f"{detail} ({code})" if code else detail)
        self.code = code
        self.retry_after_secs = retry_after_secs
        self.spread_secs = spread_secs


class Unreachable(ClientError):
    """No stream could be opened in time; `__cause__` is the last error."""


class TooSlow(ClientError):
    """The program did not read messages that may not be dropped; fetch them by REST."""


class OutcomeUnknown(ClientError):
    """A command may or may not have been executed; `__cause__` says why no answer came.

    The same call with this `command_key` asks again: for at least 24 hours the command is
    executed at most once, and its answer is the same.
    """

    def __init__(self, detail: str, *, command_key: str) -> None:
        super().__init__(f"{detail}; ask again with command_key {command_key!r}")
        self.detail = detail
        self.command_key = command_key


class EventsMissing(ClientError):
    """The events after `after` cannot be read: read orders, positions and funds instead."""

    def __init__(self, detail: str, *, after: int) -> None:
        super().__init__(detail)
        self.after = after


class Refused(ClientError):
    """A final refusal; `code` is one of Trade Dad's error codes, `field` the invalid field."""

    def __init__(self, detail: str, *, code: str = "", field: str | None = None) -> None:
        is_named = field is None or re.search(rf"\b{re.escape(field)}\b", detail)
        named = detail if is_named else f"{field}: {detail}"
        super().__init__(f"{named} ({code})" if code else named)
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


class NotFound(Refused):
    """There is no such order of the trading day, no such open position, or no such options."""


class UnknownInstrument(Refused):
    """No instrument has these `names`; `similar` are symbols that a search for them finds."""

    def __init__(self, names: Sequence[str], similar: Sequence[str] = ()) -> None:
        shown = ", ".join(map(repr, names[:_MOST_SHOWN]))
        more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
        hint = f"; similar: {', '.join(similar[:_MOST_SHOWN])}" if similar else ""
        super().__init__(f"no instrument is named {shown}{more}{hint}")
        self.names = tuple(names)
        self.similar = tuple(similar)


class OrderRefused(Refused):
    """A check refuses an order: `rule` names it, `limit` is its limit, `value` the order's.

    `limit` and `value` are text for people; None if the rule compares no values.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        field: str | None = None,
        rule: str | None = None,
        limit: str | None = None,
        value: str | None = None,
    ) -> None:
        super().__init__(detail, code=code, field=field)
        self.rule = rule
        self.limit = limit
        self.value = value


class BrokerRefused(Refused):
    """Upstox refused the command: `broker_code` and `broker_detail` are its own code and words."""

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        field: str | None = None,
        broker_code: str | None = None,
        broker_detail: str | None = None,
    ) -> None:
        super().__init__(detail, code=code, field=field)
        self.broker_code = broker_code
        self.broker_detail = broker_detail


class OrderFinal(Refused):
    """The order is filled, cancelled, rejected or expired, and can no longer be changed."""


class SubscriptionRefused(Refused):
    """A subscription has too many keys, or a key that is not valid."""
