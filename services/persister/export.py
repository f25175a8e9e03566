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
from services.persister.storage.documents import END_OF_TIME_MS, bar_ids
from shared.errors import ConfigError
from shared.market.exchange_time import IST
from shared.runtime import exit_codes
from shared.runtime.mongo import Document
from shared.runtime.settings import MongoSettings, load

_AT_ONCE: Final = 20_000
_MISSING: Final = "the export needs pyarrow and rich: uv sync --group export"


class CannotExportError(Exception):
    """The export cannot be made; says why."""


def _arguments(args: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m services.persister export",
        description="Write stored five-minute bars to a file: one instrument after the other, oldest first.",
    )
    parser.add_argument("out", type=Path, help="a file that ends in .parquet or .csv")
    parser.add_argument(
        "--key", action="append", default=[], help="an instrument; may be repeated (default: all)"
    )
    parser.add_argument(
        "--from", dest="since", type=_moment, metavar="TIME", help="first start, ISO 8601, IST"
    )
    parser.add_argument(
        "--to", dest="until", type=_moment, metavar="TIME", help="starts before this, ISO 8601, IST"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    found = parser.parse_args(args)
    if found.out.suffix not in (".parquet", ".csv"):
        parser.error(f"out: {found.out} ends neither in .parquet nor in .csv")
    if not found.out.parent.is_dir():
        parser.error(f"out: there is no folder {found.out.parent}")
    return found


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 date or time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=IST)


def main(args: Sequence[str]) -> int:
    """Run the command; returns the process's exit code."""
    wanted = _arguments(args)
    try:
        settings = load(MongoSettings)
        count = export(settings, wanted)
    except ConfigError as error:
        for problem in error.problems:
            print(f"export: {problem}", file=sys.stderr)
        return exit_codes.CONFIG
    except (CannotExportError, PyMongoError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return exit_codes.FAILED
    print(f"{count} bars in {wanted.out}")
    return exit_codes.OK


def export(settings: MongoSettings, wanted: argparse.Namespace) -> int:
    """Write the file, whole or not at all; how many bars are in it.

    Raises CannotExportError, PyMongoError or OSError.
    """
    query: Document = {}
    if wanted.key:
        query["$or"] = [{"_id": bar_ids(key, 0, END_OF_TIME_MS)} for key in wanted.key]
    span = {"$gte": wanted.since, "$lt": wanted.until}
    if any(span.values()):
        query["start"] = {name: value for name, value in span.items() if value is not None}
    partly = wanted.out.with_name(wanted.out.name + ".part")
    client: MongoClient[Document] = MongoClient(
        settings.url.get_secret_value(), tz_aware=True,
        serverSelectionTimeoutMS=settings.timeout_ms, appname="tradedad-export",
    )  # fmt: skip
    with client:
        bars = client.get_database(settings.database).get_collection(
            BARS, read_concern=ReadConcern("majority")
        )
        total = bars.count_documents(query)
        try:
            count = _write(partly, wanted.out.suffix, _rows(bars, query), total, quiet=wanted.quiet)
            partly.replace(wanted.out)
        finally:
            partly.unlink(missing_ok=True)
    return count


def _rows(bars: Collection[Document], query: Document) -> Iterator[Document]:
    yield from bars.find(query, {"_id": 0}).sort("_id").batch_size(_AT_ONCE)


def _write(path: Path, suffix: str, rows: Iterator[Document], total: int, *, quiet: bool) -> int:
    try:
        import pyarrow as pa
        from pyarrow import csv, parquet
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError as error:
        raise CannotExportError(_MISSING) from error
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
        while batch := list(islice(rows, _AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
            progress.advance(task, len(batch))
    return count


def _schema(pa: Any) -> Any:
    moment = pa.timestamp("ms", tz=str(UTC))
    return pa.schema(
        [
            pa.field("key", pa.string(), nullable=False),
            pa.field("start", moment, nullable=False),
            *(
                pa.field(name, pa.float64(), nullable=False)
                for name in ("open", "high", "low", "close")
            ),
            ("ltq", pa.int64()),
            ("ltt", moment),
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
