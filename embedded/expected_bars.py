"""Five-minute bars computed from every trade in the simulator's ledger.

Tests and the demo compare stored bars with these. The code is short and slow, and shares
nothing with the persister.
"""

from dataclasses import dataclass
from typing import Any, Final

_WINDOW_MS: Final = 300_000
_DAY_MS: Final = 86_400_000
_IST_OFFSET_MS: Final = 19_800_000


@dataclass(frozen=True)
class ExpectedBar:
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


def expected_bars(key: str, trades: list[dict[str, Any]]) -> dict[int, ExpectedBar]:
    """Return the bars of one instrument by window start.

    `trades` are all of its trades from the day's first one, in order.
    """
    windows: dict[int, list[dict[str, Any]]] = {}
    totals: dict[int, int] = {}
    totals_at_end: dict[int, int] = {}
    for trade in trades:
        start = trade["time_ms"] // _WINDOW_MS * _WINDOW_MS
        day = (trade["time_ms"] + _IST_OFFSET_MS) // _DAY_MS
        totals[day] = totals.get(day, 0) + (trade["quantity"] or 0)
        windows.setdefault(start, []).append(trade)
        totals_at_end[start] = totals[day]
    return {start: _bar(key, start, rows, totals_at_end[start]) for start, rows in windows.items()}


def _bar(key: str, start: int, trades: list[dict[str, Any]], total: int) -> ExpectedBar:
    prices = [trade["price"] for trade in trades]
    has_volume = trades[0]["quantity"] is not None
    return ExpectedBar(
        key=key,
        start=start,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=sum(trade["quantity"] for trade in trades) if has_volume else None,
        vtt=total if has_volume else None,
    )


def differences(expected: ExpectedBar, stored: dict[str, Any]) -> list[str]:
    """Compare a stored bar with the expected one; return one line per field that differs."""
    lines = []
    for name in ("open", "high", "low", "close", "volume", "vtt"):
        traded, actual = getattr(expected, name), stored[name]
        if traded != actual:
            lines.append(
                f"{expected.key} {expected.start} {name}: traded {traded}, stored {actual}"
            )
    return lines
