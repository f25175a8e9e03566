"""The cookies of browsers: what they are named, and that no script and no other site has them.

The prefix ``__Host-`` makes a browser refuse them unless they come over a secure connection,
from this very host and for all its paths.
"""

from datetime import datetime
from typing import Final

from aiohttp import web

REFRESH: Final = "__Host-tradedad_refresh"
DEVICE: Final = "__Host-tradedad_device"
_DEVICE_SECS: Final = 180 * 24 * 3_600


def set_refresh(response: web.Response, token: str, now: datetime, ends_at: datetime) -> None:
    """Let the browser keep the refresh token until its session ends."""
    _set(response, REFRESH, token, max(0, int((ends_at - now).total_seconds())))


def set_device(response: web.Response, token: str) -> None:
    """Let the browser be known again at its next login."""
    _set(response, DEVICE, token, _DEVICE_SECS)


def clear_refresh(response: web.Response) -> None:
    """Let the browser forget the refresh token."""
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
