"""The bodies of requests and answers, field by field."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr

from services.auth.core.logins import LoggedIn
from services.auth.core.records import LoginSession, User


def _one_spelling(email: str) -> str:
    # Lower-casing can leave what is no longer in composed form.
    return unicodedata.normalize("NFC", email.lower())


Email = Annotated[EmailStr, AfterValidator(_one_spelling)]
"""An e-mail address in the spelling that is unique among accounts.

email-validator checks the syntax and normalises; the domain is never looked up. The whole
address is lower-cased: the standard lets a server tell `Ann@` from `ann@`, none does, and
people type both.
"""


class Request(BaseModel):
    """The base of all requests: a field that is not named is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Response(BaseModel):
    """The base of all answers; a field that is None is left out."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class SignupRequest(Request):
    """A new account."""

    email: Email
    password: SecretStr


class LoginRequest(Request):
    """What somebody shows to log in."""

    email: Email
    password: SecretStr
    cookie: bool = False
    """For pages in a browser: the refresh token goes into a cookie that no script can read."""
    device_token: str | None = None
    """From the last login of this device, so that nobody else's attempts make it wait."""


class RefreshRequest(Request):
    """For programs; a browser sends its cookie instead."""

    refresh_token: SecretStr | None = None


class PasswordRequest(Request):
    """The password of now, again."""

    password: SecretStr


class NewPasswordRequest(Request):
    """The password of now, and the one to replace it."""

    current_password: SecretStr
    new_password: SecretStr


class UsersQuery(Request):
    """Which accounts to list."""

    after: str = ""
    """List from the address after this one."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Account(Response):
    """An account, as its owner sees it."""

    user_id: str
    email: str
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> "Account":
        return cls(user_id=user.user_id, email=user.email, created_at=user.created_at)


class Tokens(Response):
    """What a login or a refresh gives."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    """Seconds that the access token is good for."""
    user_id: str
    session_id: str
    session_ends_at: datetime
    """The session is over then, however often its tokens are renewed."""
    refresh_token: str | None = None
    """Good once; absent if it went into a cookie."""
    device_token: str | None = None
    """To show at the next login; absent if it went into a cookie."""

    @classmethod
    def of(cls, login: LoggedIn, *, device_token: str | None = None) -> "Tokens":
        by_cookie = login.session.by_cookie
        return cls(
            access_token=login.access.token,
            expires_in=login.access.expires_in_secs,
            user_id=login.user.user_id,
            session_id=login.session.session_id,
            session_ends_at=login.session.ends_at,
            refresh_token=None if by_cookie else login.refresh_token,
            device_token=None if by_cookie else device_token,
        )


class SessionBody(Response):
    """One session, as its owner sees it."""

    session_id: str
    created_at: datetime
    seen_at: datetime
    """When its tokens were last renewed."""
    expires_at: datetime
    """It is over then unless its tokens are renewed before."""
    ends_at: datetime
    address: str
    user_agent: str
    current: bool
    """Whether it is the one that asks."""

    @classmethod
    def of(cls, session: LoginSession, *, current: bool) -> "SessionBody":
        return cls(
            session_id=session.session_id,
            created_at=session.created_at,
            seen_at=session.seen_at,
            expires_at=session.expires_at,
            ends_at=session.ends_at,
            address=session.client.address,
            user_agent=session.client.user_agent,
            current=current,
        )


class Sessions(Response):
    """All sessions that are not over, the newest first."""

    sessions: list[SessionBody]


class Ended(Response):
    """How many sessions were ended."""

    sessions_ended: int


class UserBody(Response):
    """An account, as administrators see it."""

    user_id: str
    email: str
    created_at: datetime
    roles: list[str]
    disabled_at: datetime | None = None
    last_login_at: datetime | None = None

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


class Users(Response):
    """A page of accounts, by address."""

    users: list[UserBody]
    next: str | None = None
    """Pass it as `after` for the next page; absent on the last."""


class Jwk(Response):
    """One public key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    alg: Literal["EdDSA"]
    use: Literal["sig"]


class Jwks(Response):
    """The keys by which access tokens are checked."""

    keys: list[Jwk]
