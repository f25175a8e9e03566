"""Whether a new instruments master may replace the stored instruments, by its size. Pure."""

from datetime import date, timedelta
from typing import Final

import msgspec

_DAYS_UNTIL_ACCEPTED: Final = 3
_SAME_SIZE: Final = 0.9


class Refusal(msgspec.Struct, frozen=True):
    """A master that was not accepted."""

    day: str
    """YYYY-MM-DD."""
    instruments: int


class MasterRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The master that the stored instruments are of, and those refused since."""

    url: str = ""
    day: str = ""
    """YYYY-MM-DD, of the last complete master; empty until one of this address is complete."""
    validator: str = ""
    """ETag or Last-Modified of the stored file; empty if its server sends none."""
    size: int = 0
    """Instruments of the last complete master; 0 in a record of an earlier version."""
    is_loading: bool = False
    """Whether a load has begun and not been completed; rows of two masters may be stored."""
    refusals: list[Refusal] = []
    """Oldest first."""


def with_refusal(refusals: list[Refusal], refusal: Refusal) -> list[Refusal]:
    """The refusals of consecutive days that end with `refusal`, at most three."""
    earlier = [one for one in refusals if one.day != refusal.day]
    kept = [refusal]
    for one in reversed(earlier):
        if date.fromisoformat(kept[0].day) - date.fromisoformat(one.day) != timedelta(days=1):
            break
        kept.insert(0, one)
    return kept[-_DAYS_UNTIL_ACCEPTED:]


def is_lasting(refusals: list[Refusal]) -> bool:
    """Whether masters of about the same size were refused on three consecutive days.

    Then the size is Upstox's new one, and not a fault of one file.
    """
    sizes = [refusal.instruments for refusal in refusals]
    return len(sizes) >= _DAYS_UNTIL_ACCEPTED and min(sizes) >= _SAME_SIZE * max(sizes) > 0
