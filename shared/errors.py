"""The error tree, with the stable code of every error that a client can see.

TradeDadError
├── ConfigError            a setting is missing, unknown or out of range; the process does not start
├── RequestError           the caller is told; carries a `Code` and an HTTP status
│   ├── BadMessage         the input could not be read at all
│   ├── InvalidField       one field of the input breaks a rule; names both
│   ├── Unauthenticated    no token, or one that does not verify
│   │   ├── TokenExpired
│   │   ├── Revoked        the session was ended before its time
│   │   └── BadCredentials
│   ├── Forbidden          known, but not allowed
│   │   ├── AccountDisabled
│   │   └── ReauthenticationRequired
│   ├── NotFound
│   ├── EmailTaken
│   ├── LimitExceeded      more than one may have
│   ├── TooLarge           the body is larger than allowed
│   ├── TooManyAttempts    wait before trying again
│   ├── RateLimited        more requests than one may send; wait
│   ├── Overloaded         a bounded resource is full; retry later
│   └── Unavailable        something we depend on does not answer
│       └── TimedOut       it did not answer in time
├── BusClosed              the NATS client gave up for good; the process must end
├── LeaseLost              leadership has lapsed; stop acting at once
├── StaleEpoch             a newer leader has written; this one's write was refused
├── StreamUnavailable      the tick stream cannot be read; try again
└── FeedError              the market-data connection failed
    └── FeedUnauthorised   Upstox refused the access token
"""

from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar


class Code(StrEnum):
    """Every error code that reaches a client; documented in docs/errors.md."""

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
    LIMIT_EXCEEDED = "limit_exceeded"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    RATE_LIMITED = "rate_limited"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"
    RESTARTING = "restarting"
    INTERNAL = "internal"


class TradeDadError(Exception):
    """Root of everything this project raises on purpose."""


class ConfigError(TradeDadError):
    """The settings are wrong; `problems` holds one line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RequestError(TradeDadError):
    """An error that the caller is told about, by code, status and a sentence."""

    code: ClassVar[Code] = Code.INTERNAL
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class InvalidField(RequestError):
    """A field of the input breaks a rule; `field` names it, `detail` says the rule."""

    code = Code.INVALID_FIELD
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadMessage(RequestError):
    """The input could not be read at all."""

    code = Code.BAD_MESSAGE
    status = HTTPStatus.BAD_REQUEST


class Unauthenticated(RequestError):
    """No token, or one that does not verify."""

    code = Code.UNAUTHENTICATED
    status = HTTPStatus.UNAUTHORIZED


class TokenExpired(Unauthenticated):
    """The token was good and has run out."""

    code = Code.TOKEN_EXPIRED


class Revoked(Unauthenticated):
    """The token's session was ended: by a logout, a new password or an administrator."""

    code = Code.REVOKED


class BadCredentials(Unauthenticated):
    """E-mail and password do not match; never says which of the two is wrong."""

    code = Code.BAD_CREDENTIALS


class NotFound(RequestError):
    """No such thing."""

    code = Code.NOT_FOUND
    status = HTTPStatus.NOT_FOUND


class Forbidden(RequestError):
    """Known, but not allowed."""

    code = Code.FORBIDDEN
    status = HTTPStatus.FORBIDDEN


class AccountDisabled(Forbidden):
    """The password is right, and an administrator has disabled the account."""

    code = Code.ACCOUNT_DISABLED


class ReauthenticationRequired(Forbidden):
    """This needs a password that was given a short while ago."""

    code = Code.REAUTHENTICATION_REQUIRED


class LimitExceeded(RequestError):
    """More than one may have."""

    code = Code.LIMIT_EXCEEDED
    status = HTTPStatus.TOO_MANY_REQUESTS


class EmailTaken(RequestError):
    """An account with this e-mail address exists already."""

    code = Code.EMAIL_TAKEN
    status = HTTPStatus.CONFLICT


class TooLarge(RequestError):
    """The body is larger than allowed."""

    code = Code.TOO_LARGE
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyAttempts(RequestError):
    """Too many attempts of late; `retry_after_secs` says when the next one is let in."""

    code = Code.TOO_MANY_ATTEMPTS
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, *, field: str | None = None, retry_after_secs: int = 1) -> None:
        super().__init__(detail, field=field)
        self.retry_after_secs = retry_after_secs


class RateLimited(RequestError):
    """Too many requests of late; `retry_after_secs` says when the next one is let in."""

    code = Code.RATE_LIMITED
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, *, field: str | None = None, retry_after_secs: int = 1) -> None:
        super().__init__(detail, field=field)
        self.retry_after_secs = retry_after_secs


class Overloaded(RequestError):
    """A bounded resource is full; `retry_after_secs` says when to come back."""

    code = Code.OVERLOADED
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str, *, field: str | None = None, retry_after_secs: int = 1) -> None:
        super().__init__(detail, field=field)
        self.retry_after_secs = retry_after_secs


class Unavailable(RequestError):
    """Something this request needs does not answer at the moment."""

    code = Code.UNAVAILABLE
    status = HTTPStatus.SERVICE_UNAVAILABLE


class TimedOut(Unavailable):
    """Something this request needs did not answer in time."""

    code = Code.TIMED_OUT
    status = HTTPStatus.GATEWAY_TIMEOUT


class BusClosed(TradeDadError):
    """The NATS client closed for good; only a new process can reconnect."""


class LeaseLost(TradeDadError):
    """Leadership has lapsed, or can no longer be shown to hold."""


class StaleEpoch(TradeDadError):
    """A leader with a newer epoch has written; `ours` and `theirs` are lease epochs."""

    def __init__(self, ours: int, theirs: int) -> None:
        super().__init__(f"epoch {ours} was superseded by {theirs}")
        self.ours = ours
        self.theirs = theirs


class StreamUnavailable(TradeDadError):
    """The tick stream cannot be read at the moment."""


class FeedError(TradeDadError):
    """The market-data connection failed; `cause` is a short label for metrics."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause


class FeedUnauthorised(FeedError):
    """Upstox refused the access token."""


def answered_error(code: Code, detail: str, field: str | None = None) -> RequestError:
    """The error that another service answered with, to be raised here."""
    for kind in _kinds(RequestError):
        if kind.code is code:
            return kind(detail, field=field)
    return RequestError(detail, field=field)


def _kinds(base: type[RequestError]) -> list[type[RequestError]]:
    return [base, *(kind for sub in base.__subclasses__() for kind in _kinds(sub))]
