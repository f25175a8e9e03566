"""Has bars of earlier times fetched in advance: ``python -m operations bars backfill``.

``python -m services.persister backfill`` is the same.
The command only says which pages of candles are wanted, and shows the progress. The leading
persister fetches them: it alone may write bars, and all calls to Upstox share its limits.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from services.persister.history.page_store import PAGES, WANTED, Priority, want_writes
from services.persister.history.pages import Page, PageKind, pages_between, settled_day
from services.persister.instruments.instrument_store import INSTRUMENTS
from shared.contracts.subjects import key_to_tokens
from shared.errors import ConfigError, InvalidField, TradeDadError
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Document
from shared.runtime.mongo_command import DatabaseFailed, command_client
from shared.runtime.settings import MongoSettings, load

T = TypeVar("T")

_LOOK_EVERY_SECS: Final = 1.0
_QUIET_SECS: Final = 30.0
_PAGES_PER_CALL: Final = 1_000
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024


class CannotBackfillError(TradeDadError):
    """The backfill is not possible; the message gives the reason."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.set_defaults(refuse=parser.error)
    parser.add_argument("keys", nargs="*", metavar="KEY|FILE", help="instrument key, or a file of"
                        " keys, one a line")  # fmt: skip
    parser.add_argument(
        "--from", dest="first", type=_day, metavar="DATE", help="first day, YYYY-MM-DD"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait until everything is fetched"
    )
    parser.add_argument(
        "--cancel", action="store_true", help="fetch nothing more of what was asked for like this"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2024-01-31") from None


def main(args: Sequence[str]) -> int:
    """Run the command as one of the persister; returns the process's exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.persister backfill", description=run.__doc__
    )
    add_arguments(parser)
    try:
        return run(parser.parse_args(args))
    except ConfigError as error:
        for problem in error.problems:
            print(f"backfill: {problem}", file=sys.stderr)
        return exit_codes.CONFIG
    except DatabaseFailed as error:
        print(f"backfill: {error}; the command can be repeated", file=sys.stderr)
        return exit_codes.TEMPFAIL
    except (CannotBackfillError, OSError) as error:
        print(f"backfill: {error}", file=sys.stderr)
        return exit_codes.FAILED


def run(arguments: argparse.Namespace) -> int:
    """Have the running persister fetch bars of earlier times; it goes on if the command stops."""
    if arguments.cancel and (arguments.keys or arguments.first):
        arguments.refuse("--cancel takes no other argument")
    if not arguments.cancel and not (arguments.keys and arguments.first):
        arguments.refuse("--from and at least one KEY or FILE are required")
    settings = load(MongoSettings)
    try:
        with command_client(settings) as client:
            database = client.get_database(settings.database, read_concern=ReadConcern("majority"))
            if arguments.cancel:
                print(f"{_cancel(database[PAGES])} pages are wanted no longer")
                return exit_codes.OK
            keys = list(_keys(arguments.keys))
            return backfill(database, keys, arguments.first, is_waiting=not arguments.no_wait)
    except KeyboardInterrupt:
        print("backfill: the persister goes on; --cancel stops it", file=sys.stderr)
        return exit_codes.FAILED


def _keys(arguments: Iterable[str]) -> Iterator[str]:
    """The keys of arguments and files, each once. Raises CannotBackfillError or OSError."""
    seen: set[str] = set()
    for argument in arguments:
        for place, key in _named(argument):
            try:
                key_to_tokens(key)
            except InvalidField as error:
                raise CannotBackfillError(f"{place}: {error.detail}") from None
            if key not in seen:
                seen.add(key)
                yield key


def _named(argument: str) -> Iterator[tuple[str, str]]:
    if "|" in argument:
        yield "KEY", argument
        return
    path = Path(argument)
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise CannotBackfillError(f"{path} is larger than {_MAX_FILE_BYTES} bytes")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        key = line.partition("#")[0].strip()
        if key:
            yield f"{path}:{number}", key


def backfill(
    database: Database[Document], keys: Sequence[str], first: date, *, is_waiting: bool
) -> int:
    """Want all pages from `first` on, and wait until they are fetched. Returns the exit code.

    Raises CannotBackfillError for keys that the stored instruments master lacks, or PyMongoError.
    """
    _check_known(database, keys)
    settled = settled_day(SystemClock().now_ms())
    wanted = [
        (page, page.until(settled))
        for key in keys
        for kind in PageKind
        for page in pages_between(kind, key, first, settled)
    ]
    pages = database[PAGES]
    open_pages = _not_fetched(pages, wanted)
    for batch in _batches(open_pages):
        pages.bulk_write(
            want_writes(batch, Priority.COMMAND, SystemClock().now_ms()), ordered=False
        )
    print(f"{len(wanted)} pages of {len(keys)} instruments, {len(open_pages)} to fetch")
    if not is_waiting or not open_pages:
        return exit_codes.OK
    with _progress(len(open_pages)) as show:
        _wait(pages, [page for page, _ in open_pages], show)
    left = _not_fetched(pages, wanted)
    if left:
        print(
            f"{len(left)} pages were not fetched: cancelled, refused by Upstox, or older than bars are kept"
        )
        return exit_codes.FAILED
    return exit_codes.OK


def _check_known(database: Database[Document], keys: Sequence[str]) -> None:
    instruments = database[INSTRUMENTS]
    known = {row["_id"] for row in instruments.find({"_id": {"$in": list(keys)}}, {"_id": 1})}
    unknown = [key for key in keys if key not in known]
    if unknown and instruments.find_one({}, {"_id": 1}) is not None:
        raise CannotBackfillError(f"no such instrument: {', '.join(unknown)}")


def _not_fetched(
    pages: Collection[Document], wanted: Sequence[tuple[Page, date]]
) -> list[tuple[Page, date]]:
    """Those that are not fetched up to their day."""
    until: dict[str, str] = {}
    for batch in _batches(wanted):
        ids = [page.page_id for page, _ in batch]
        rows = pages.find({"_id": {"$in": ids}, "until": {"$exists": True}}, {"until": 1})
        until |= {row["_id"]: row["until"] for row in rows}
    return [(page, day) for page, day in wanted if until.get(page.page_id, "") < day.isoformat()]


def _wait(pages: Collection[Document], left: list[Page], show: Callable[[int, str], None]) -> None:
    """Wait until none of the pages is wanted any more; `show` gets how many still are, and a note."""
    changed_at = time.monotonic()
    while left:
        time.sleep(_LOOK_EVERY_SECS)
        still: set[str] = set()
        for batch in _batches(left):
            query = {"_id": {"$in": [page.page_id for page in batch]}} | WANTED
            still.update(row["_id"] for row in pages.find(query, {"_id": 1}))
        if len(still) < len(left):
            changed_at = time.monotonic()
        left = [page for page in left if page.page_id in still]
        failure = pages.find_one({"_id": "upstox"})
        note = f"Upstox is away: {failure['error']}" if failure else ""
        if not note and time.monotonic() - changed_at > _QUIET_SECS:
            note = "waiting for the limits on calls to Upstox, or no persister is running"
        show(len(left), note)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, str], None]]:
    """A progress bar if rich is installed, else a line for each change."""
    try:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:
        shown = ""

        def show_line(left: int, note: str) -> None:
            nonlocal shown
            line = f"{total - left} of {total} pages {note}".rstrip()
            if line != shown:
                print(line, flush=True)
            shown = line

        yield show_line
        return
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn()) as progress:
        task = progress.add_task("pages", total=total)

        def show_bar(left: int, note: str) -> None:
            progress.update(task, completed=total - left, description=note or "pages")

        yield show_bar


def _cancel(pages: Collection[Document]) -> int:
    """Want no page of this command any more. Returns how many were wanted."""
    result = pages.update_many(
        {"priority": int(Priority.COMMAND)} | WANTED,
        {"$unset": {"wanted_until": "", "priority": "", "asked_ms": ""}},
    )
    return result.modified_count


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), _PAGES_PER_CALL):
        yield items[at : at + _PAGES_PER_CALL]
