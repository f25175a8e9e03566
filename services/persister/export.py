"""Writes stored bars to a file: ``python -m operations bars export``."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

from services.persister.export_files import SUFFIXES, bar_file
from services.persister.storage.bar_store import BARS
from services.persister.storage.documents import MAX_ID_TIME_MS, bar_id_range
from shared.market.exchange_time import IST
from shared.runtime import exit_codes
from shared.runtime.mongo import Document
from shared.runtime.mongo_command import command_client
from shared.runtime.settings import MongoSettings, load

_BATCH_ROWS: Final = 20_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "out", type=_out, help="file name that ends in .parquet, .csv or .jsonl (JSON lines)"
    )
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


def _out(text: str) -> Path:
    path = Path(text)
    if path.suffix not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"{text} ends in none of {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"folder {path.parent} does not exist")
    return path


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 date or time") from None
    return time if time.tzinfo else time.replace(tzinfo=IST)


def run(arguments: argparse.Namespace) -> int:
    """Write stored five-minute bars to a file, ordered by instrument and time."""
    count = export(load(MongoSettings), arguments)
    print(f"{count} bars in {arguments.out}")
    return exit_codes.OK


def export(settings: MongoSettings, arguments: argparse.Namespace) -> int:
    """Write the whole file, or leave no file. Returns the number of bars in it.

    Raises CannotExportError, DatabaseFailed or OSError.
    """
    query: Document = {}
    if arguments.key:
        query["$or"] = [{"_id": bar_id_range(key, 0, MAX_ID_TIME_MS)} for key in arguments.key]
    bounds = {"$gte": arguments.since, "$lt": arguments.until}
    if any(bounds.values()):
        query["start"] = {name: value for name, value in bounds.items() if value is not None}
    out: Path = arguments.out
    partial_file = out.with_name(out.name + ".part")
    with command_client(settings) as client:
        bars = client.get_database(settings.database).get_collection(
            BARS, read_concern=ReadConcern("majority")
        )
        total = bars.count_documents(query)
        rows = _rows(bars, query)
        count = 0
        try:
            with (
                bar_file(partial_file, out.suffix) as file,
                _progress(total, quiet=arguments.quiet) as advance,
            ):
                while batch := list(islice(rows, _BATCH_ROWS)):
                    file.write(batch)
                    count += len(batch)
                    advance(len(batch))
            partial_file.replace(out)
        finally:
            partial_file.unlink(missing_ok=True)
    return count


def _rows(bars: Collection[Document], query: Document) -> Iterator[Document]:
    yield from bars.find(query, {"_id": 0}).sort("_id").batch_size(_BATCH_ROWS)


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar, if the package for it is installed."""
    try:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:
        yield lambda _: None
        return
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), disable=quiet) as progress:
        task = progress.add_task("bars", total=total)
        yield lambda count: progress.advance(task, count)
