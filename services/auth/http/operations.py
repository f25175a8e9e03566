"""Every operation of auth: what it takes and all that it can answer."""

import json
from typing import Final

from services.auth.http import cookies
from services.auth.http.schemas import (
    Account,
    Ended,
    Jwks,
    LoginRequest,
    NewPasswordRequest,
    PasswordRequest,
    RefreshRequest,
    Sessions,
    SignupRequest,
    Tokens,
    Users,
    UsersQuery,
)
from shared.errors import (
    AccountDisabled,
    BadCredentials,
    BadMessage,
    EmailTaken,
    Forbidden,
    InvalidField,
    NotFound,
    Overloaded,
    ReauthenticationRequired,
    Revoked,
    TokenExpired,
    TooLarge,
    TooManyAttempts,
    Unauthenticated,
    Unavailable,
)
from shared.web.openapi import Operation, document

BEARER: Final = "bearer"
COOKIE: Final = "cookie"
_SCHEMES: Final = {
    BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    COOKIE: {"type": "apiKey", "in": "cookie", "name": cookies.REFRESH},
}
_DESCRIPTION: Final = """\
Accounts, sessions and access tokens. Programs send and get tokens in bodies. Pages log in with
`cookie: true`: their refresh token then lives in a cookie that no script can read, and counts
only in requests that the browser says come from our own pages (Sec-Fetch-Site or Origin).
"""

_BODY: Final = (BadMessage, InvalidField, TooLarge)
_TOKEN: Final = (Unauthenticated, TokenExpired, Revoked, Unavailable)
_PASSWORD: Final = (BadCredentials, TooManyAttempts, Overloaded, Unavailable)
_ADMIN: Final = (*_TOKEN, Forbidden)

SIGNUP: Final = Operation(
    method="POST", path="/auth/signup", name="signup", tags=["accounts"],
    summary="Open an account.",
    body=SignupRequest, responses={201: Account},
    errors=(*_BODY, EmailTaken, TooManyAttempts, Overloaded, Unavailable),
)  # fmt: skip
LOGIN: Final = Operation(
    method="POST", path="/auth/login", name="login", tags=["accounts"],
    summary="Start a session.",
    body=LoginRequest, responses={200: Tokens},
    errors=(*_BODY, *_PASSWORD, AccountDisabled, Forbidden, Revoked),
)  # fmt: skip
REFRESH: Final = Operation(
    method="POST", path="/auth/refresh", name="refresh", tags=["sessions"],
    summary="New tokens for a refresh token, which is good once.",
    body=RefreshRequest, body_required=False, responses={200: Tokens}, security=("", COOKIE),
    errors=(*_BODY, Unauthenticated, Revoked, Forbidden, Unavailable),
)  # fmt: skip
LOGOUT: Final = Operation(
    method="POST", path="/auth/logout", name="logout", tags=["sessions"],
    summary="End this session, named by an access token or a refresh token.",
    body=RefreshRequest, body_required=False, responses={204: None}, security=("", BEARER, COOKIE),
    errors=(*_BODY, *_TOKEN, Forbidden),
)  # fmt: skip
LOGOUT_ALL: Final = Operation(
    method="POST", path="/auth/logout-all", name="logoutAll", tags=["sessions"],
    summary="End all sessions, this one too; needs a password given a short while ago.",
    responses={200: Ended}, security=(BEARER,),
    errors=(*_TOKEN, ReauthenticationRequired),
)  # fmt: skip
REAUTHENTICATE: Final = Operation(
    method="POST", path="/auth/reauthenticate", name="reauthenticate", tags=["accounts"],
    summary="Give the password again, before something that needs it.",
    body=PasswordRequest, responses={204: None}, security=(BEARER,),
    errors=(*_BODY, *_TOKEN, *_PASSWORD),
)  # fmt: skip
PASSWORD: Final = Operation(
    method="POST", path="/auth/password", name="changePassword", tags=["accounts"],
    summary="Replace the password; all other sessions end.",
    body=NewPasswordRequest, responses={200: Ended}, security=(BEARER,),
    errors=(*_BODY, *_TOKEN, *_PASSWORD),
)  # fmt: skip
ME: Final = Operation(
    method="GET", path="/auth/me", name="me", tags=["accounts"],
    summary="The account that the token speaks for.",
    responses={200: Account}, security=(BEARER,), errors=_TOKEN,
)  # fmt: skip
SESSIONS: Final = Operation(
    method="GET", path="/auth/sessions", name="sessions", tags=["sessions"],
    summary="The account's sessions, the newest first.",
    responses={200: Sessions}, security=(BEARER,), errors=_TOKEN,
)  # fmt: skip
REVOKE_SESSION: Final = Operation(
    method="DELETE", path="/auth/sessions/{session_id}", name="revokeSession", tags=["sessions"],
    summary="End one session; another than this needs a password given a short while ago.",
    responses={204: None}, security=(BEARER,),
    errors=(*_TOKEN, NotFound, ReauthenticationRequired),
)  # fmt: skip
USERS: Final = Operation(
    method="GET", path="/auth/admin/users", name="users", tags=["admin"],
    summary="Accounts, by address.",
    query=UsersQuery, responses={200: Users}, security=(BEARER,), errors=(*_ADMIN, InvalidField),
)  # fmt: skip
DISABLE: Final = Operation(
    method="POST", path="/auth/admin/users/{user_id}/disable", name="disableUser", tags=["admin"],
    summary="Keep an account from logging in, and end its sessions.",
    responses={200: Ended}, security=(BEARER,),
    errors=(*_ADMIN, ReauthenticationRequired, NotFound, InvalidField),
)  # fmt: skip
ENABLE: Final = Operation(
    method="POST", path="/auth/admin/users/{user_id}/enable", name="enableUser", tags=["admin"],
    summary="Let a disabled account log in again.",
    responses={204: None}, security=(BEARER,),
    errors=(*_ADMIN, ReauthenticationRequired, NotFound),
)  # fmt: skip
REVOKE_USER: Final = Operation(
    method="POST", path="/auth/admin/users/{user_id}/revoke", name="revokeUser", tags=["admin"],
    summary="End all sessions of an account.",
    responses={200: Ended}, security=(BEARER,),
    errors=(*_ADMIN, ReauthenticationRequired, NotFound),
)  # fmt: skip
JWKS: Final = Operation(
    method="GET", path="/.well-known/jwks.json", name="jwks", tags=["keys"],
    summary="The keys by which access tokens are checked.",
    responses={200: Jwks}, errors=(),
)  # fmt: skip

ALL: Final = (
    SIGNUP, LOGIN, REFRESH, LOGOUT, LOGOUT_ALL, REAUTHENTICATE, PASSWORD, ME, SESSIONS,
    REVOKE_SESSION, USERS, DISABLE, ENABLE, REVOKE_USER, JWKS,
)  # fmt: skip


def openapi() -> str:
    """The document that describes them, as JSON."""
    described = document(
        title="Trade Dad: auth",
        version="1",
        description=_DESCRIPTION,
        operations=ALL,
        security_schemes=_SCHEMES,
    )
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
