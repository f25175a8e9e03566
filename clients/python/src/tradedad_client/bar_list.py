"""Bars of an instrument as a list, and as a data frame of pandas or polars. Pure."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradedad_client.market_messages import HistoryBar

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_ZONE: Final = "Asia/Kolkata"
_TIMES: Final = ("start", "end", "ltt")
_COUNTS: Final = ("ltq", "volume", "vtt", "oi", "ticks", "silent_ms")
_PRICES: Final = ("open", "high", "low", "close", "atp")


class BarList(list[HistoryBar]):
    """Bars of one instrument, the oldest first."""

    def __init__(self, key: str, interval: str, bars: Iterable[HistoryBar] = ()) -> None:
        super().__init__(bars)
        self.key = key
        self.interval = interval

    def __repr__(self) -> str:
        span = (
            f", {self[0].time:%Y-%m-%d %H:%M} to {self[-1].time:%Y-%m-%d %H:%M %Z}" if self else ""
        )
        return f"BarList({self.key!r}, {self.interval!r}, {len(self)} bars{span})"

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame with a row for each bar, indexed by its start in IST.

        Needs the package's extra `pandas`. What is unknown is missing in the frame, not zero.
        """
        try:
            import pandas as pd
        except ImportError:
            raise _missing("pandas") from None
        columns: dict[str, Any] = {}
        for name, values in self._columns().items():
            if name in _TIMES:
                times = pd.to_datetime(values, unit="ms", utc=True)
                columns[name] = times.tz_convert(_ZONE).as_unit("ms")
            else:
                columns[name] = pd.array(values, dtype=_pandas_type(name))
        return pd.DataFrame(columns).set_index("start")

    def to_polars(self) -> "pl.DataFrame":
        """Return a data frame with a row for each bar; times are in IST.

        Needs the package's extra `polars`.
        """
        try:
            import polars as pl
        except ImportError:
            raise _missing("polars") from None
        kinds: dict[str, Any] = dict.fromkeys(_TIMES, pl.Int64)
        kinds |= dict.fromkeys(_COUNTS, pl.Int64) | dict.fromkeys(_PRICES, pl.Float64)
        columns = self._columns()
        schema = {name: kinds.get(name, pl.String) for name in columns}
        times = [
            pl.col(name).cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone(_ZONE)
            for name in _TIMES
        ]
        return pl.DataFrame(columns, schema=schema).with_columns(times)

    def _columns(self) -> dict[str, list[Any]]:
        names = [field.name for field in msgspec.structs.fields(HistoryBar)]
        return {name: [getattr(bar, name) for bar in self] for name in names}


def _pandas_type(column: str) -> str:
    if column in _PRICES:
        return "float64"
    return "Int64" if column in _COUNTS else "string"


def _missing(package: str) -> ImportError:
    return ImportError(f"{package} is not installed: pip install 'trade-dad-client[{package}]'")
