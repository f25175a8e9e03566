"""The access token, the errors and the headers that every operation below /v1 has."""

from typing import Final

from shared.errors import RateLimited, Revoked, TokenExpired, Unauthenticated, Unavailable

BEARER: Final = "bearer"
SECURITY_SCHEMES: Final = {BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
LIMITS: Final = {
    "RateLimit-Policy": "At most `q` requests in `w` seconds.",
    "RateLimit": "`r` requests remain; the full quota is available in `t` seconds.",
}
TOKEN_ERRORS: Final = (Unauthenticated, TokenExpired, Revoked, RateLimited, Unavailable)
