"""The bodies of requests and responses."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr

from services.auth.core.entities import AuditEntry, LoginSession, User
from services.auth.core.sessions import SessionTokens


def _normalise(email: str) -> str:
    # Lower-casing can leave text that is no longer in composed form (NFC).
    return unicodedata.normalize("NFC", email.lower())


Email = Annotated[EmailStr, AfterValidator(_normalise)]
"""An e-mail address in normalised form, which is unique among accounts.

email-validator checks the syntax and normalises the text; the domain is never looked up. The
whole address is lower-cased: RFC 5321 lets a mail server distinguish `Ann@` from `ann@`, but
none does, and people type both.
"""


class RequestModel(BaseModel):
    """The base of all request bodies and queries; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ResponseModel(BaseModel):
    """The base of all response bodies; a field that is None is omitted."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class SignupRequest(RequestModel):
    """The account to create."""

    email: Email
    password: SecretStr


class LoginRequest(RequestModel):
    """The credentials of a login."""

    email: Email
    password: SecretStr
    cookie: bool = False
    """For pages in a browser: the refresh token is set as a cookie that no script can read."""
    device_token: str | None = None
    """From an earlier login of this device; its attempts are then counted separately."""


class RefreshRequest(RequestModel):
    """The refresh token of a program; a browser sends its cookie instead."""

    refresh_token: SecretStr | None = None


class PasswordRequest(RequestModel):
    """The current password."""

    password: SecretStr


class NewPasswordRequest(RequestModel):
    """The current password and its replacement."""

    current_password: SecretStr
    new_password: SecretStr


class UsersQuery(RequestModel):
    """A page of accounts to list."""

    after: str = ""
    """Start with the first address that sorts after this one."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    prefix: Annotated[str, Field(max_length=254)] = ""
    """Only addresses that start with this text, in lower case."""


class AuditQuery(RequestModel):
    """A page of the audit log."""

    user_id: Annotated[str | None, Field(max_length=64)] = None
    """Only entries of this account."""
    before: Annotated[str, Field(max_length=24)] = ""
    """The `next` of the page before; empty for the newest entries."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Account(ResponseModel):
    """An account, as shown to its owner."""

    user_id: str
    email: str
    created_at: datetime
    roles: list[str]
    """Rights beyond those of every account: `admin`."""

    @classmethod
    def of(cls, user: User) -> "Account":
        return cls(
            user_id=user.user_id,
            email=user.email,
            created_at=user.created_at,
            roles=list(user.roles),
        )


class Tokens(ResponseModel):
    """The tokens that a login or a refresh returns."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    """Lifetime of the access token in seconds."""
    user_id: str
    session_id: str
    session_ends_at: datetime
    """When the session ends, however often its tokens are refreshed."""
    refresh_token: str | None = None
    """Can be used once; absent if it was set as a cookie."""
    device_token: str | None = None
    """To send with the next login; absent if it was set as a cookie, and after a refresh."""

    @classmethod
    def of(cls, tokens: SessionTokens, *, device_token: str | None = None) -> "Tokens":
        by_cookie = tokens.session.by_cookie
        return cls(
            access_token=tokens.access.token,
            expires_in=tokens.access.expires_in_secs,
            user_id=tokens.user.user_id,
            session_id=tokens.session.session_id,
            session_ends_at=tokens.session.ends_at,
            refresh_token=None if by_cookie else tokens.refresh_token,
            device_token=None if by_cookie else device_token,
        )


class SessionBody(ResponseModel):
    """A session, as shown to its owner."""

    session_id: str
    created_at: datetime
    seen_at: datetime
    """When its tokens were last refreshed."""
    expires_at: datetime
    """When the session ends unless its tokens are refreshed before."""
    ends_at: datetime
    """When the session ends in any case."""
    address: str
    """The IP address of the login."""
    user_agent: str
    current: bool
    """Whether this is the session of the request."""

    @classmethod
    def of(cls, session: LoginSession, *, current: bool) -> "SessionBody":
        return cls(
            session_id=session.session_id,
            created_at=session.created_at,
            seen_at=session.seen_at,
            expires_at=session.expires_at,
            ends_at=session.ends_at,
            address=session.source.address,
            user_agent=session.source.user_agent,
            current=current,
        )


class Sessions(ResponseModel):
    """The active sessions, newest first."""

    sessions: list[SessionBody]


class Ended(ResponseModel):
    """The number of sessions that were ended."""

    sessions_ended: int


class UserBody(ResponseModel):
    """An account, as shown to administrators."""

    user_id: str
    email: str
    created_at: datetime
    roles: list[str]
    disabled_at: datetime | None = None
    """Absent if the account is enabled."""
    last_login_at: datetime | None = None
    """Absent before the first login."""

    @classmethod
    def of(cls, user: User) -> "UserBody":
        return cls(
            user_id=user.user_id,
            email=user.email,
            created_at=user.created_at,
            roles=list(user.roles),
            disabled_at=user.disabled_at,
            last_login_at=user.last_login_at,
        )


class Users(ResponseModel):
    """A page of accounts, sorted by e-mail address."""

    users: list[UserBody]
    next: str | None = None
    """The value of `after` for the next page; absent on the last page."""


class AuditEntryBody(ResponseModel):
    """An entry of the audit log."""

    entry_id: str
    at: datetime
    event: str
    address: str
    """The IP address of the request; `local` for commands of an operator."""
    user_agent: str
    user_id: str | None = None
    """The account concerned; absent if there is none, for example of an unknown e-mail address."""
    by: str | None = None
    """The user id of the administrator who acted on the account; absent for other entries."""

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryBody":
        return cls(
            entry_id=entry.entry_id,
            at=entry.at,
            event=entry.event,
            address=entry.source.address,
            user_agent=entry.source.user_agent,
            user_id=entry.user_id,
            by=entry.by,
        )


class AuditLogPage(ResponseModel):
    """A page of the audit log, the newest entry first."""

    entries: list[AuditEntryBody]
    next: str | None = None
    """The value of `before` for the next page; absent on the last page."""


class Jwk(ResponseModel):
    """A public key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    alg: Literal["EdDSA"]
    use: Literal["sig"]


class Jwks(ResponseModel):
    """The public keys with which access tokens are verified (RFC 7517)."""

    keys: list[Jwk]
