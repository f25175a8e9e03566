"""The cookies of browser sessions: a refresh token and a device token.

No script and no other site can read them (`HttpOnly`, `SameSite=Strict`). The name prefix
``__Host-`` makes a browser accept them only over a secure connection, from this host and for
all its paths.
"""

from datetime import datetime
from typing import Final

from aiohttp import web

REFRESH: Final = "__Host-tradedad_refresh"
DEVICE: Final = "__Host-tradedad_device"
_DEVICE_SECS: Final = 180 * 24 * 3_600


def set_refresh(response: web.Response, token: str, now: datetime, ends_at: datetime) -> None:
    """Store the refresh token in the browser until its session ends."""
    _set(response, REFRESH, token, max(0, int((ends_at - now).total_seconds())))


def set_device(response: web.Response, token: str) -> None:
    """Store the device token in the browser for 180 days."""
    _set(response, DEVICE, token, _DEVICE_SECS)


def clear_refresh(response: web.Response) -> None:
    """Delete the refresh token from the browser."""
    _set(response, REFRESH, "", 0)


def _set(response: web.Response, name: str, value: str, max_age_secs: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age_secs,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )
