"""When an Upstox access token expires, as far as that can be known without a call."""

import base64
import binascii
from typing import Final

import msgspec

from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start

_EXPIRY_OF_DAY_MS: Final = (3 * 60 + 30) * MINUTE_MS
_MAX_PAYLOAD_CHARS: Final = 8_192


class _Claims(msgspec.Struct):
    exp: float
    """Unix time in seconds."""


def expires_ms(token: str, now_ms: int) -> int:
    """When `token`, which is used from `now_ms` on, expires (both epoch ms).

    A JWT has the claim `exp`; its signature is not verified. Any other token is valid until the next
    03:30 IST, when Upstox ends all tokens of the day.
    """
    claimed_ms = _claimed_ms(token)
    return next_daily_expiry_ms(now_ms) if claimed_ms is None else claimed_ms


def next_daily_expiry_ms(now_ms: int) -> int:
    """The first 03:30 IST after `now_ms` (both epoch ms)."""
    expiry_ms = day_start(now_ms) + _EXPIRY_OF_DAY_MS
    return expiry_ms if expiry_ms > now_ms else expiry_ms + DAY_MS


def _claimed_ms(token: str) -> int | None:
    """The claim `exp` of a JWT; None if `token` is none, or has no usable claim."""
    parts = token.split(".")
    if len(parts) != 3 or len(parts[1]) > _MAX_PAYLOAD_CHARS:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        exp_secs = msgspec.json.decode(payload, type=_Claims).exp
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    return int(exp_secs * 1_000) if 0 < exp_secs < 1e11 else None
