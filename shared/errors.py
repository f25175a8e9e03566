"""The tree of exceptions, with the stable code of every error that a client can receive.

TradeDadError
├── ConfigError            a setting is missing, unknown or out of range; the process does not start
├── RequestError           reported to the client with a `Code` and an HTTP status
│   ├── BadMessage         the input cannot be parsed
│   ├── InvalidField       a field of the input breaks a rule
│   ├── Unauthenticated    the token is missing or not valid
│   │   ├── TokenExpired   the token was valid and has expired
│   │   ├── Revoked        the session was ended before the token expired
│   │   └── BadCredentials the e-mail address and the password do not match
│   ├── Forbidden          authenticated, but not allowed
│   │   ├── AccountDisabled
│   │   └── ReauthenticationRequired
│   ├── NotFound
│   ├── EmailTaken
│   ├── StaleRevision      the change is based on an older revision of the thing
│   ├── IdempotencyKeyMissing a command without the header Idempotency-Key
│   ├── IdempotencyKeyReused the key was used for another command
│   ├── CommandInFlight    the same command is being worked on
│   ├── OrderRefused       a check refuses an order; names rule, limit and value
│   ├── BrokerRefused      the broker refuses a command; has its code and words
│   ├── OrderFinal         the order can no longer be changed
│   ├── LinkStateInvalid   the state of an Upstox login is unknown, used or old
│   ├── LinkRefused        Upstox refuses a login or an app
│   ├── LinkTaken          the Upstox account is linked by another user
│   ├── LimitExceeded      a count of open things is at its limit: streams, subscriptions
│   ├── TooLarge           the body is larger than allowed
│   ├── UnsupportedEncoding the body is compressed
│   ├── RetryLater         can succeed after a pause; carries `retry_after_secs`
│   │   ├── TooManyAttempts too many attempts in a period, such as logins
│   │   ├── RateLimited    too many requests in a period
│   │   └── Overloaded     a bounded resource is full
│   └── Unavailable        a dependency does not answer
│       └── TimedOut       a dependency did not answer in time
├── BusClosed              the NATS client closed for good; the process must end
├── LeaseLost              leadership has lapsed; stop acting at once
├── StaleEpoch             a newer leader has written, so this leader's write was refused
├── StreamUnavailable      a JetStream stream cannot be read at the moment; try again
│   ├── StreamNotFound     the stream does not exist
│   └── StreamPutBack      the stream lost entries that were read
├── UpstoxUnavailable      Upstox does not answer a read, or not as documented
│   └── UpstoxUnauthorised Upstox refuses the access token of a user
└── FeedError              the market-data connection failed
    └── FeedUnauthorised   Upstox refused the access token
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar


class Code(StrEnum):
    """Every error code that a client can receive; docs/errors.md documents them."""

    BAD_MESSAGE = "bad_message"
    INVALID_FIELD = "invalid_field"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"
    REVOKED = "revoked"
    BAD_CREDENTIALS = "bad_credentials"
    FORBIDDEN = "forbidden"
    ACCOUNT_DISABLED = "account_disabled"
    REAUTHENTICATION_REQUIRED = "reauthentication_required"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    EMAIL_TAKEN = "email_taken"
    STALE_REVISION = "stale_revision"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    COMMAND_IN_FLIGHT = "command_in_flight"
    ORDER_REFUSED = "order_refused"
    ORDER_FINAL = "order_final"
    BROKER_REFUSED = "broker_refused"
    LINK_STATE_INVALID = "link_state_invalid"
    LINK_REFUSED = "link_refused"
    LINK_TAKEN = "link_taken"
    LIMIT_EXCEEDED = "limit_exceeded"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    RATE_LIMITED = "rate_limited"
    TOO_LARGE = "too_large"
    UNSUPPORTED_ENCODING = "unsupported_encoding"
    TOO_SLOW = "too_slow"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"
    RESTARTING = "restarting"
    INTERNAL = "internal"


class TradeDadError(Exception):
    """Base class of every exception that this project raises on purpose."""


class ConfigError(TradeDadError):
    """Settings are not valid; `problems` holds one line per problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RequestError(TradeDadError):
    """An error that the client receives: a code, an HTTP status and a sentence (`detail`).

    `field` names the field of the input at fault; None if no single field is. `members` are
    further members of the problem document, by name.
    """

    code: ClassVar[Code] = Code.INTERNAL
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    members: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class InvalidField(RequestError):
    """A field of the input breaks a rule; `field` names the field, `detail` states the rule."""

    code = Code.INVALID_FIELD
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadMessage(RequestError):
    """The input cannot be parsed."""

    code = Code.BAD_MESSAGE
    status = HTTPStatus.BAD_REQUEST


class Unauthenticated(RequestError):
    """The token is missing or not valid."""

    code = Code.UNAUTHENTICATED
    status = HTTPStatus.UNAUTHORIZED


class TokenExpired(Unauthenticated):
    """The token was valid and has expired."""

    code = Code.TOKEN_EXPIRED


class Revoked(Unauthenticated):
    """The token's session was ended by a logout, a new password or an administrator."""

    code = Code.REVOKED


class BadCredentials(Unauthenticated):
    """The e-mail address and the password do not match; the error does not say which is wrong."""

    code = Code.BAD_CREDENTIALS


class NotFound(RequestError):
    """The requested thing does not exist."""

    code = Code.NOT_FOUND
    status = HTTPStatus.NOT_FOUND


class Forbidden(RequestError):
    """The caller is authenticated, but not allowed to do this."""

    code = Code.FORBIDDEN
    status = HTTPStatus.FORBIDDEN


class AccountDisabled(Forbidden):
    """The password is right, but an administrator has disabled the account."""

    code = Code.ACCOUNT_DISABLED


class ReauthenticationRequired(Forbidden):
    """The request needs a password that was entered recently."""

    code = Code.REAUTHENTICATION_REQUIRED


class LimitExceeded(RequestError):
    """A count of things open at the same time is at its limit: streams or subscriptions, say.

    Closing some of them makes room; waiting does not. `RateLimited` is for requests per time.
    """

    code = Code.LIMIT_EXCEEDED
    status = HTTPStatus.TOO_MANY_REQUESTS


class EmailTaken(RequestError):
    """An account with this e-mail address already exists."""

    code = Code.EMAIL_TAKEN
    status = HTTPStatus.CONFLICT


class StaleRevision(RequestError):
    """The thing was changed since the revision that this change is based on; nothing was done."""

    code = Code.STALE_REVISION
    status = HTTPStatus.CONFLICT


class IdempotencyKeyMissing(RequestError):
    """A command has no valid Idempotency-Key."""

    code = Code.IDEMPOTENCY_KEY_MISSING
    status = HTTPStatus.BAD_REQUEST


class IdempotencyKeyReused(RequestError):
    """The Idempotency-Key was used for another command."""

    code = Code.IDEMPOTENCY_KEY_REUSED
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class CommandInFlight(RequestError):
    """A command with the same Idempotency-Key is being worked on."""

    code = Code.COMMAND_IN_FLIGHT
    status = HTTPStatus.CONFLICT


class OrderRefused(RequestError):
    """A check refuses an order. The members name its `rule`, and the `limit` and `value` if known."""

    code = Code.ORDER_REFUSED
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        rule: str = "",
        limit: str | None = None,
        value: str | None = None,
    ) -> None:
        super().__init__(detail, field=field)
        members = {"rule": rule, "limit": limit, "value": value}
        self.members = {name: text for name, text in members.items() if text}


class OrderFinal(RequestError):
    """The order is filled, cancelled, expired or rejected, so it cannot be changed."""

    code = Code.ORDER_FINAL
    status = HTTPStatus.CONFLICT


class BrokerRefused(RequestError):
    """The broker refused a command; the members hold its own code and words."""

    code = Code.BROKER_REFUSED
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        broker_code: str = "",
        broker_detail: str = "",
    ) -> None:
        super().__init__(detail, field=field)
        members = {"broker_code": broker_code, "broker_detail": broker_detail}
        self.members = {name: text for name, text in members.items() if text}


class LinkStateInvalid(RequestError):
    """The state of a login at Upstox is unknown, another user's, used before, or too old."""

    code = Code.LINK_STATE_INVALID
    status = HTTPStatus.CONFLICT


class LinkRefused(RequestError):
    """Upstox refuses a login, a token or an app. The members have its `upstox_code` if it gave one."""

    code = Code.LINK_REFUSED
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(
        self, detail: str, *, field: str | None = None, upstox_code: str | None = None
    ) -> None:
        super().__init__(detail, field=field)
        self.members = {"upstox_code": upstox_code} if upstox_code else {}


class LinkTaken(RequestError):
    """Another user has linked this Upstox account."""

    code = Code.LINK_TAKEN
    status = HTTPStatus.CONFLICT


class TooLarge(RequestError):
    """The body is larger than allowed."""

    code = Code.TOO_LARGE
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedEncoding(RequestError):
    """The body has a Content-Encoding, such as gzip; bodies must be sent as they are."""

    code = Code.UNSUPPORTED_ENCODING
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class RetryLater(RequestError):
    """The same request can succeed once `retry_after_secs` seconds have passed.

    Raise one of the subclasses: this class has no code of its own.
    """

    def __init__(self, detail: str, *, field: str | None = None, retry_after_secs: int = 1) -> None:
        super().__init__(detail, field=field)
        self.retry_after_secs = retry_after_secs


class TooManyAttempts(RetryLater):
    """Too many attempts in a period, such as logins or sign-ups."""

    code = Code.TOO_MANY_ATTEMPTS
    status = HTTPStatus.TOO_MANY_REQUESTS


class RateLimited(RetryLater):
    """Too many requests in a period. `LimitExceeded` is for counts of open things."""

    code = Code.RATE_LIMITED
    status = HTTPStatus.TOO_MANY_REQUESTS


class Overloaded(RetryLater):
    """A bounded resource, such as a queue, is full."""

    code = Code.OVERLOADED
    status = HTTPStatus.SERVICE_UNAVAILABLE


class Unavailable(RequestError):
    """A dependency of this request does not answer at the moment."""

    code = Code.UNAVAILABLE
    status = HTTPStatus.SERVICE_UNAVAILABLE


class TimedOut(Unavailable):
    """A dependency of this request did not answer in time."""

    code = Code.TIMED_OUT
    status = HTTPStatus.GATEWAY_TIMEOUT


class BusClosed(TradeDadError):
    """The NATS client closed for good; only a new process can connect again."""


class LeaseLost(TradeDadError):
    """Leadership has lapsed, or can no longer be proved."""


class StaleEpoch(TradeDadError):
    """A leader with a newer epoch has written; `ours` and `theirs` are lease epochs."""

    def __init__(self, ours: int, theirs: int) -> None:
        super().__init__(f"epoch {ours} was superseded by {theirs}")
        self.ours = ours
        self.theirs = theirs


class StreamUnavailable(TradeDadError):
    """A JetStream stream cannot be read at the moment."""


class StreamNotFound(StreamUnavailable):
    """The JetStream stream does not exist (yet)."""


class StreamPutBack(StreamUnavailable):
    """The JetStream stream does not hold the entries that were read: its data is an older copy."""


class UpstoxUnavailable(TradeDadError):
    """Upstox did not answer a read, or not as documented; the text names the cause."""


class UpstoxUnauthorised(UpstoxUnavailable):
    """Upstox refuses the user's access token."""


class FeedError(TradeDadError):
    """The market-data connection failed; `cause` is a short label for metrics."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause


class FeedUnauthorised(FeedError):
    """Upstox refused the access token."""


def error_from_reply(
    code: Code, detail: str, field: str | None = None, members: Mapping[str, str] | None = None
) -> RequestError:
    """The exception for an error that another service replied with."""
    for error_class in _with_subclasses(RequestError):
        if error_class.code is code:
            error = error_class(detail, field=field)
            break
    else:
        error = RequestError(detail, field=field)
    if members:
        error.members = dict(members)
    return error


def _with_subclasses(base: type[RequestError]) -> list[type[RequestError]]:
    return [base, *(cls for sub in base.__subclasses__() for cls in _with_subclasses(sub))]
