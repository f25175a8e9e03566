"""The operations of auth: their requests, responses and errors."""

import json
from typing import Final

from services.auth.http import cookies
from services.auth.http.schemas import (
    Account,
    AuditLogPage,
    AuditQuery,
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
from services.auth.http.watchlist_schemas import (
    RevisionQuery,
    WatchlistBody,
    WatchlistOrder,
    WatchlistPath,
    WatchlistsBody,
    WatchlistSetting,
)
from shared.errors import (
    AccountDisabled,
    BadCredentials,
    BadMessage,
    EmailTaken,
    Forbidden,
    InvalidField,
    LimitExceeded,
    NotFound,
    Overloaded,
    RateLimited,
    ReauthenticationRequired,
    Revoked,
    StaleRevision,
    TimedOut,
    TokenExpired,
    TooLarge,
    TooManyAttempts,
    Unauthenticated,
    Unavailable,
    UnsupportedEncoding,
)
from shared.web.openapi import Operation, document

BEARER: Final = "bearer"
COOKIE: Final = "cookie"
_SCHEMES: Final = {
    BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    COOKIE: {"type": "apiKey", "in": "cookie", "name": cookies.REFRESH},
}
_DESCRIPTION: Final = """\
Accounts, sessions, access tokens and watchlists. Programs send and receive tokens in bodies. Pages log in
with `cookie: true`: their refresh token is then in a cookie that no script can read. The cookie
is accepted only in requests of pages of an allowed origin, as Sec-Fetch-Site or Origin shows.
"""

_BODY: Final = (BadMessage, InvalidField, TooLarge, UnsupportedEncoding)
_TOKEN: Final = (Unauthenticated, TokenExpired, Revoked, Unavailable)
_PASSWORD: Final = (BadCredentials, TooManyAttempts, Overloaded, Unavailable)
_ADMIN: Final = (*_TOKEN, Forbidden)
# The gateway counts these by user, and may wait for auth in vain.
_LISTS: Final = (*_TOKEN, RateLimited, Overloaded, TimedOut)

SIGNUP: Final = Operation(
    method="POST", path="/auth/signup", name="signup", tags=["accounts"],
    summary="Create an account.",
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
    summary="Exchange a refresh token, which can be used once, for new tokens.",
    body=RefreshRequest, body_required=False, responses={200: Tokens}, security=("", COOKIE),
    errors=(*_BODY, Unauthenticated, Revoked, Forbidden, Unavailable),
)  # fmt: skip
LOGOUT: Final = Operation(
    method="POST", path="/auth/logout", name="logout", tags=["sessions"],
    summary="End the session of an access token or of a refresh token.",
    body=RefreshRequest, body_required=False, responses={204: None}, security=("", BEARER, COOKIE),
    errors=(*_BODY, *_TOKEN, Forbidden),
)  # fmt: skip
LOGOUT_ALL: Final = Operation(
    method="POST", path="/auth/logout-all", name="logoutAll", tags=["sessions"],
    summary="End all sessions of the account; requires a recently verified password.",
    responses={200: Ended}, security=(BEARER,),
    errors=(*_TOKEN, ReauthenticationRequired),
)  # fmt: skip
REAUTHENTICATE: Final = Operation(
    method="POST", path="/auth/reauthenticate", name="reauthenticate", tags=["accounts"],
    summary="Verify the password again, for operations that require a recent verification.",
    body=PasswordRequest, responses={204: None}, security=(BEARER,),
    errors=(*_BODY, *_TOKEN, *_PASSWORD),
)  # fmt: skip
PASSWORD: Final = Operation(
    method="POST", path="/auth/password", name="changePassword", tags=["accounts"],
    summary="Replace the password and end all other sessions.",
    body=NewPasswordRequest, responses={200: Ended}, security=(BEARER,),
    errors=(*_BODY, *_TOKEN, *_PASSWORD),
)  # fmt: skip
ME: Final = Operation(
    method="GET", path="/auth/me", name="me", tags=["accounts"],
    summary="Get the account of the access token.",
    responses={200: Account}, security=(BEARER,), errors=_TOKEN,
)  # fmt: skip
SESSIONS: Final = Operation(
    method="GET", path="/auth/sessions", name="sessions", tags=["sessions"],
    summary="List the active sessions of the account, newest first.",
    responses={200: Sessions}, security=(BEARER,), errors=_TOKEN,
)  # fmt: skip
REVOKE_SESSION: Final = Operation(
    method="DELETE", path="/auth/sessions/{session_id}", name="revokeSession", tags=["sessions"],
    summary="End a session; requires a recently verified password unless it is the current one.",
    responses={204: None}, security=(BEARER,),
    errors=(*_TOKEN, NotFound, ReauthenticationRequired),
)  # fmt: skip
USERS: Final = Operation(
    method="GET", path="/auth/admin/users", name="users", tags=["admin"],
    summary="List accounts, sorted by e-mail address.",
    query=UsersQuery, responses={200: Users}, security=(BEARER,), errors=(*_ADMIN, InvalidField),
)  # fmt: skip
DISABLE: Final = Operation(
    method="POST", path="/auth/admin/users/{user_id}/disable", name="disableUser", tags=["admin"],
    summary="Disable an account and end its sessions.",
    responses={200: Ended}, security=(BEARER,),
    errors=(*_ADMIN, ReauthenticationRequired, NotFound, InvalidField),
)  # fmt: skip
ENABLE: Final = Operation(
    method="POST", path="/auth/admin/users/{user_id}/enable", name="enableUser", tags=["admin"],
    summary="Enable a disabled account.",
    responses={204: None}, security=(BEARER,),
    errors=(*_ADMIN, ReauthenticationRequired, NotFound),
)  # fmt: skip
REVOKE_USER: Final = Operation(
    method="POST", path="/auth/admin/users/{user_id}/revoke", name="revokeUser", tags=["admin"],
    summary="End all sessions of an account.",
    responses={200: Ended}, security=(BEARER,),
    errors=(*_ADMIN, ReauthenticationRequired, NotFound),
)  # fmt: skip
AUDIT_LOG: Final = Operation(
    method="GET", path="/auth/admin/audit", name="auditLog", tags=["admin"],
    summary="Read the audit log in pages, the newest entries first.",
    query=AuditQuery, responses={200: AuditLogPage}, security=(BEARER,),
    errors=(*_ADMIN, InvalidField),
)  # fmt: skip
WATCHLISTS: Final = Operation(
    method="GET", path="/v1/watchlists", name="watchlists", tags=["watchlists"],
    summary="The watchlists of the user, in their order.",
    responses={200: WatchlistsBody}, security=(BEARER,), errors=_LISTS,
)  # fmt: skip
ORDER_WATCHLISTS: Final = Operation(
    method="PUT", path="/v1/watchlists", name="orderWatchlists", tags=["watchlists"],
    summary="Put the watchlists into another order.",
    body=WatchlistOrder, responses={200: WatchlistsBody}, security=(BEARER,),
    errors=(*_LISTS, *_BODY, StaleRevision),
)  # fmt: skip
SAVE_WATCHLIST: Final = Operation(
    method="PUT", path="/v1/watchlists/{list_id}", name="saveWatchlist", tags=["watchlists"],
    summary="Create a watchlist, or change its name and keys.",
    path_parameters=WatchlistPath, body=WatchlistSetting, responses={200: WatchlistBody},
    security=(BEARER,), errors=(*_LISTS, *_BODY, StaleRevision, NotFound, LimitExceeded),
)  # fmt: skip
REMOVE_WATCHLIST: Final = Operation(
    method="DELETE", path="/v1/watchlists/{list_id}", name="removeWatchlist", tags=["watchlists"],
    summary="Remove a watchlist; does nothing if there is none.",
    path_parameters=WatchlistPath, query=RevisionQuery, responses={204: None},
    security=(BEARER,), errors=(*_LISTS, InvalidField, StaleRevision, NotFound),
)  # fmt: skip
JWKS: Final = Operation(
    method="GET", path="/.well-known/jwks.json", name="jwks", tags=["keys"],
    summary="Get the public keys with which access tokens are verified.",
    responses={200: Jwks}, errors=(),
)  # fmt: skip

ALL: Final = (
    SIGNUP, LOGIN, REFRESH, LOGOUT, LOGOUT_ALL, REAUTHENTICATE, PASSWORD, ME, SESSIONS,
    REVOKE_SESSION, USERS, DISABLE, ENABLE, REVOKE_USER, AUDIT_LOG,
    WATCHLISTS, ORDER_WATCHLISTS, SAVE_WATCHLIST, REMOVE_WATCHLIST, JWKS,
)  # fmt: skip


def openapi() -> str:
    """Return the OpenAPI document of these operations, as JSON."""
    described = document(
        title="Trade Dad: auth",
        version="1",
        description=_DESCRIPTION,
        operations=ALL,
        security_schemes=_SCHEMES,
    )
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
