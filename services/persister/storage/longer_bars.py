"""Combines five-minute bars to 15m, 1h and 1d bars: the database's query and its rows."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from services.persister.storage.bar_grid import BarGrid
from services.persister.storage.documents import plain_int, to_ms
from shared.contracts.history import HistoryBar, HistoryBarState

# In the order of the certainty that a group of parts has; the last one wins.
_MOST_CERTAIN_FIRST: Final = [
    HistoryBarState.COMPLETE,
    HistoryBarState.REPAIRED,
    HistoryBarState.PARTIAL,
]


def group_by_start(grid: BarGrid) -> dict[str, Any]:
    """The `$group` stage that combines documents of five-minute bars, oldest first."""
    states = [state.value for state in _MOST_CERTAIN_FIRST]
    return {
        "_id": grid.start_expression(),
        "open": {"$first": "$open"},
        "high": {"$max": "$high"},
        "low": {"$min": "$low"},
        "close": {"$last": "$close"},
        "ltq": {"$last": "$ltq"},
        "ltt": {"$last": "$ltt"},
        "volume": {"$sum": "$volume"},
        # An index has no volume, for which the sum would be 0.
        "parts_with_volume": {"$sum": {"$cond": [{"$eq": ["$volume", None]}, 0, 1]}},
        "vtt": {"$last": "$vtt"},
        "atp": {"$last": "$atp"},
        "oi": {"$last": "$oi"},
        "ticks": {"$sum": "$ticks"},
        "certainty": {"$max": {"$indexOfArray": [states, "$state"]}},
        "silent_ms": {"$sum": "$silent_ms"},
        "parts": {"$sum": 1},
    }


def longer_bar(
    row: Mapping[str, Any], length_ms: int, *, closed_until_ms: int, incomplete: Collection[int]
) -> HistoryBar:
    """The bar of one row of `group_by_start`.

    All windows that end by `closed_until_ms` are stored. `incomplete` are the starts of longer
    bars with a window that may have trades and has no full bar.
    """
    start_ms = int(row["_id"])
    end_ms = start_ms + length_ms
    state = _MOST_CERTAIN_FIRST[row["certainty"]]
    if start_ms in incomplete:
        state = HistoryBarState.PARTIAL
    if end_ms > closed_until_ms:
        state = HistoryBarState.FORMING
    return HistoryBar(
        start=start_ms,
        end=end_ms,
        open=row["open"],
        high=row["high"],
        low=row["low"],
        close=row["close"],
        ltq=plain_int(row["ltq"]),
        ltt=None if row["ltt"] is None else to_ms(row["ltt"]),
        volume=plain_int(row["volume"]) if row["parts_with_volume"] else None,
        vtt=plain_int(row["vtt"]),
        atp=row["atp"],
        oi=plain_int(row["oi"]),
        ticks=int(row["ticks"]),
        state=state,
        silent_ms=int(row["silent_ms"]),
    )
