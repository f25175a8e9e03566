"""Five-minute bars computed plainly from what the simulator says that it sent.

Knows nothing of the persister's code: a short, slow second opinion to compare with.
"""

from dataclasses import dataclass
from typing import Any

_WINDOW_MS = 300_000


@dataclass(frozen=True)
class PlainBar:
    """The fields of a bar that follow from the quotes alone."""

    key: str
    start: int
    open: float
    high: float
    low: float
    close: float
    ltq: int | None
    volume: int | None
    vtt: int | None
    ticks: int


def plain_bars(key: str, sent: list[dict[str, Any]]) -> dict[int, PlainBar]:
    """The bars of one instrument by their start, of all quotes sent since the first.

    A quote is a trade if, within one day, `ltt` or `vtt` is beyond what was seen before.
    The first quote and snapshots make none, but what they show is seen; the volume that
    was traded unseen counts with the next trade.
    """
    trades: dict[int, list[tuple[dict[str, Any], int]]] = {}
    seen_ltt = seen_vtt = counted_vtt = None
    for row in sent:
        ltt, vtt = row["ltt"], row["vtt"] or 0
        if seen_ltt is None or seen_vtt is None or counted_vtt is None:
            seen_ltt, seen_vtt, counted_vtt = ltt, vtt, vtt
            continue
        if row["kind"] != "snapshot" and (ltt > seen_ltt or vtt > seen_vtt):
            start = ltt // _WINDOW_MS * _WINDOW_MS
            trades.setdefault(start, []).append((row, vtt - counted_vtt))
            counted_vtt = vtt
        seen_ltt, seen_vtt = max(seen_ltt, ltt), vtt
    return {start: _bar(key, start, rows) for start, rows in trades.items()}


def _bar(key: str, start: int, trades: list[tuple[dict[str, Any], int]]) -> PlainBar:
    prices = [row["ltp"] for row, _ in trades]
    last = trades[-1][0]
    has_volume = bool(last["vtt"])
    return PlainBar(
        key=key,
        start=start,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        ltq=last["ltq"] or None,
        volume=sum(volume for _, volume in trades) if has_volume else None,
        vtt=last["vtt"] if has_volume else None,
        ticks=len(trades),
    )


def differences(expected: PlainBar, stored: dict[str, Any]) -> list[str]:
    """What is not the same in a bar as it is stored; a line for each field."""
    lines = []
    for name in ("open", "high", "low", "close", "ltq", "volume", "vtt", "ticks"):
        want, got = getattr(expected, name), stored[name]
        if want != got:
            lines.append(f"{expected.key} {expected.start} {name}: sent {want}, stored {got}")
    return lines
