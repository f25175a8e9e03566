"""Five-minute bars computed plainly from every trade in the simulator's ledger.

Knows nothing of the persister's code: a short, slow second opinion to compare with.
"""

from dataclasses import dataclass
from typing import Any, Final

_WINDOW_MS: Final = 300_000
_DAY_MS: Final = 86_400_000
_IST_OFFSET_MS: Final = 19_800_000


@dataclass(frozen=True)
class PlainBar:
    """The fields of a bar that follow from the trades alone."""

    key: str
    start: int
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    vtt: int | None
    """Cumulative volume of the day at the end of the window."""


def plain_bars(key: str, trades: list[dict[str, Any]]) -> dict[int, PlainBar]:
    """The bars of one instrument by their start, of all its trades from the day's first on."""
    windows: dict[int, list[dict[str, Any]]] = {}
    totals: dict[int, int] = {}
    at_end: dict[int, int] = {}
    for trade in trades:
        start = trade["time_ms"] // _WINDOW_MS * _WINDOW_MS
        day = (trade["time_ms"] + _IST_OFFSET_MS) // _DAY_MS
        totals[day] = totals.get(day, 0) + (trade["quantity"] or 0)
        windows.setdefault(start, []).append(trade)
        at_end[start] = totals[day]
    return {start: _bar(key, start, rows, at_end[start]) for start, rows in windows.items()}


def _bar(key: str, start: int, trades: list[dict[str, Any]], total: int) -> PlainBar:
    prices = [trade["price"] for trade in trades]
    has_volume = trades[0]["quantity"] is not None
    return PlainBar(
        key=key,
        start=start,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=sum(trade["quantity"] for trade in trades) if has_volume else None,
        vtt=total if has_volume else None,
    )


def differences(expected: PlainBar, stored: dict[str, Any]) -> list[str]:
    """What is not the same in a bar as it is stored; a line for each field."""
    lines = []
    for name in ("open", "high", "low", "close", "volume", "vtt"):
        want, got = getattr(expected, name), stored[name]
        if want != got:
            lines.append(f"{expected.key} {expected.start} {name}: traded {want}, stored {got}")
    return lines
