"""Writes stored bars to a Parquet or CSV file: ``python -m services.persister export``."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from services.persister.storage.bar_store import BARS
from services.persister.storage.documents import MAX_ID_TIME_MS, bar_id_range
from shared.errors import ConfigError
from shared.market.exchange_time import IST
from shared.runtime import exit_codes
from shared.runtime.mongo import Document
from shared.runtime.settings import MongoSettings, load

_BATCH_ROWS: Final = 20_000
_MISSING_PACKAGES: Final = "the export needs pyarrow and rich: uv sync --group export"


class CannotExportError(Exception):
    """The export is not possible; the message gives the reason."""


def _arguments(args: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m services.persister export",
        description="Write stored five-minute bars to a file, ordered by instrument and time.",
    )
    parser.add_argument("out", type=Path, help="file name that ends in .parquet or .csv")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="instrument key; may be repeated (default: all instruments)",
    )
    parser.add_argument(
        "--from",
        dest="since",
        type=_time,
        metavar="TIME",
        help="bars that start at this time or later, ISO 8601, IST by default",
    )
    parser.add_argument(
        "--to",
        dest="until",
        type=_time,
        metavar="TIME",
        help="bars that start before this time, ISO 8601, IST by default",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    arguments = parser.parse_args(args)
    if arguments.out.suffix not in (".parquet", ".csv"):
        parser.error(f"out: {arguments.out} ends neither in .parquet nor in .csv")
    if not arguments.out.parent.is_dir():
        parser.error(f"out: folder {arguments.out.parent} does not exist")
    return arguments


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 date or time") from None
    return time if time.tzinfo else time.replace(tzinfo=IST)


def main(args: Sequence[str]) -> int:
    """Run the command; returns the process's exit code."""
    arguments = _arguments(args)
    try:
        settings = load(MongoSettings)
        count = export(settings, arguments)
    except ConfigError as error:
        for problem in error.problems:
            print(f"export: {problem}", file=sys.stderr)
        return exit_codes.CONFIG
    except (CannotExportError, PyMongoError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return exit_codes.FAILED
    print(f"{count} bars in {arguments.out}")
    return exit_codes.OK


def export(settings: MongoSettings, arguments: argparse.Namespace) -> int:
    """Write the whole file, or leave no file. Returns the number of bars in it.

    Raises CannotExportError, PyMongoError or OSError.
    """
    query: Document = {}
    if arguments.key:
        query["$or"] = [{"_id": bar_id_range(key, 0, MAX_ID_TIME_MS)} for key in arguments.key]
    bounds = {"$gte": arguments.since, "$lt": arguments.until}
    if any(bounds.values()):
        query["start"] = {name: value for name, value in bounds.items() if value is not None}
    partial_file = arguments.out.with_name(arguments.out.name + ".part")
    client: MongoClient[Document] = MongoClient(
        settings.url.get_secret_value(), tz_aware=True,
        serverSelectionTimeoutMS=settings.timeout_ms, appname="tradedad-export",
    )  # fmt: skip
    with client:
        bars = client.get_database(settings.database).get_collection(
            BARS, read_concern=ReadConcern("majority")
        )
        total = bars.count_documents(query)
        rows = _rows(bars, query)
        suffix = arguments.out.suffix
        try:
            count = _write(partial_file, suffix, rows, total, quiet=arguments.quiet)
            partial_file.replace(arguments.out)
        finally:
            partial_file.unlink(missing_ok=True)
    return count


def _rows(bars: Collection[Document], query: Document) -> Iterator[Document]:
    yield from bars.find(query, {"_id": 0}).sort("_id").batch_size(_BATCH_ROWS)


def _write(path: Path, suffix: str, rows: Iterator[Document], total: int, *, quiet: bool) -> int:
    try:
        import pyarrow as pa
        from pyarrow import csv, parquet
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError as error:
        raise CannotExportError(_MISSING_PACKAGES) from error
    schema = _schema(pa)
    writer = (
        parquet.ParquetWriter(path, schema, compression="zstd")
        if suffix == ".parquet"
        else csv.CSVWriter(path, schema)
    )
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn())
    count = 0
    with writer, Progress(*columns, TimeRemainingColumn(), disable=quiet) as progress:
        task = progress.add_task("bars", total=total)
        while batch := list(islice(rows, _BATCH_ROWS)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
            progress.advance(task, len(batch))
    return count


def _schema(pa: Any) -> Any:
    timestamp = pa.timestamp("ms", tz=str(UTC))
    return pa.schema(
        [
            pa.field("key", pa.string(), nullable=False),
            pa.field("start", timestamp, nullable=False),
            *(
                pa.field(name, pa.float64(), nullable=False)
                for name in ("open", "high", "low", "close")
            ),
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
        ]
    )
