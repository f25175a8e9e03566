"""Writers of exported bars: Parquet, CSV and JSON lines. A price keeps every digit it has."""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, Protocol

from shared.errors import TradeDadError
from shared.runtime.mongo import Document

SUFFIXES: Final = (".parquet", ".csv", ".jsonl")
_PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = (
    "key", "start", *_PRICES, "ltq", "ltt", "volume", "vtt", "atp", "oi", "ticks", "state",
    "silent_ms", "epoch", "source",
)  # fmt: skip


class CannotExportError(TradeDadError):
    """The export is not possible; the message gives the reason."""


class BarFile(Protocol):
    """An open file."""

    def write(self, bars: Iterable[Document]) -> None:
        """Append bars."""
        ...


@contextmanager
def bar_file(path: Path, suffix: str) -> Iterator[BarFile]:
    """Create the file. Raises OSError, or CannotExportError if a package is missing."""
    if suffix == ".parquet":
        with _parquet(path) as file:
            yield file
        return
    with path.open("w", encoding="utf-8", newline="") as text:
        yield _CsvFile(text) if suffix == ".csv" else _JsonLines(text)


class _CsvFile:
    def __init__(self, file: TextIOWrapper) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)

    def write(self, bars: Iterable[Document]) -> None:
        self._writer.writerows([_text(bar.get(name)) for name in COLUMNS] for bar in bars)


class _JsonLines:
    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file

    def write(self, bars: Iterable[Document]) -> None:
        for bar in bars:
            values = {name: _value(bar.get(name)) for name in COLUMNS}
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")


def _text(value: Any) -> str:
    if isinstance(value, float):
        # The shortest digits that are this number, without an exponent.
        return f"{Decimal(repr(value)):f}"
    return "" if value is None else str(_value(value))


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


@contextmanager
def _parquet(path: Path) -> Iterator[BarFile]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        message = "a Parquet file needs pyarrow: uv sync --group export"
        raise CannotExportError(message) from error
    schema = _schema(pa)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        yield _ParquetFile(writer, pa, schema)


class _ParquetFile:
    def __init__(self, writer: Any, pa: Any, schema: Any) -> None:
        self._writer, self._pa, self._schema = writer, pa, schema

    def write(self, bars: Iterable[Document]) -> None:
        table = self._pa.Table.from_pylist(list(bars), schema=self._schema)
        self._writer.write_table(table)


def _schema(pa: Any) -> Any:
    timestamp = pa.timestamp("ms", tz=str(UTC))
    return pa.schema(
        [
            pa.field("key", pa.string(), nullable=False),
            pa.field("start", timestamp, nullable=False),
            *(pa.field(name, pa.float64(), nullable=False) for name in _PRICES),
            ("ltq", pa.int64()),
            ("ltt", timestamp),
            ("volume", pa.int64()),
            ("vtt", pa.int64()),
            ("atp", pa.float64()),
            ("oi", pa.int64()),
            pa.field("ticks", pa.int64(), nullable=False),
            pa.field("state", pa.string(), nullable=False),
            pa.field("silent_ms", pa.int64(), nullable=False),
            pa.field("epoch", pa.int64(), nullable=False),
            ("source", pa.string()),
        ]
    )
