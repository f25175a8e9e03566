"""An export can be read by other programs, and equals the collection."""

import asyncio
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyarrow import csv, parquet
from pydantic import SecretStr

from embedded.daemons import ROOT
from services.persister.storage.bar_store import BarStore
from services.persister.storage.documents import bar_document, to_ms
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS, to_datetime
from shared.runtime import exit_codes
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.patience import PATIENCE_SECS
from tests.support.settings import process_environment

NUMBER = 300


def bar(number: int, key: str) -> Bar:
    is_index = key == OTHER_KEY
    return Bar(
        key=key, start=MONDAY_10_00 + number * WINDOW_MS, open=1_400.05, high=1_401.1 + number,
        low=1_399.95, close=1_400.35, ltq=None if is_index else 5,
        ltt=None if number % 7 == 0 else MONDAY_10_00 + number * WINDOW_MS + 299_999,
        volume=None if is_index else 3_000_000_000 + number, vtt=None if is_index else 9_000_000_000,
        atp=None, oi=None, ticks=7, state=BarState.REPAIRED, silent_ms=0, epoch=4,
    )  # fmt: skip


@pytest.fixture
async def documents(mongo: Mongo) -> list[dict[str, Any]]:
    """The stored documents in the order of key and time."""
    await BarStore(mongo).prepare()
    stored = [
        bar_document(bar(number, key)) for key in (KEY, OTHER_KEY) for number in range(NUMBER)
    ]
    await mongo.db["bars_5m"].insert_many(reversed(stored))
    return [
        {name: value for name, value in document.items() if name != "_id"} | {"source": None}
        for document in stored
    ]


def environment(settings: MongoSettings) -> dict[str, str]:
    return (
        os.environ
        | process_environment()
        | {
            "TRADEDAD_MONGO_URL": settings.url.get_secret_value(),
            "TRADEDAD_MONGO_DATABASE": settings.database,
            "TRADEDAD_MONGO_TIMEOUT_MS": str(settings.timeout_ms),
        }
    )


def peak_bytes(settings: MongoSettings, *args: str) -> int:
    """The peak memory of an export."""
    process = subprocess.Popen(
        [sys.executable, "-m", "operations", "bars", "export", "--quiet", *args],
        cwd=ROOT,
        env=environment(settings),
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0
    return usage.ru_maxrss * 1024


async def export(settings: MongoSettings, *args: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "operations", "bars", "export", *args],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
    )


async def test_a_parquet_file_equals_the_collection(
    mongo_settings: MongoSettings, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "bars.parquet"
    done = await export(mongo_settings, str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"{2 * NUMBER} bars in {out}\n")
    assert parquet.read_table(out).to_pylist() == documents


async def test_a_csv_file_has_the_bars_of_a_key_and_a_range_of_time(
    mongo_settings: MongoSettings, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "bars.csv"
    done = await export(
        mongo_settings, str(out), "--key", KEY, "--from", "2026-11-23T10:10", "--to",
        "2026-11-23T11:00", "--quiet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = csv.read_csv(out).to_pylist()
    expected = [
        document
        for document in documents
        if document["key"] == KEY
        and to_datetime(MONDAY_10_00 + 600_000)
        <= document["start"]
        < to_datetime(MONDAY_10_00 + 3_600_000)
    ]
    assert len(rows) == 10
    for row, document in zip(rows, expected, strict=True):
        start = row["start"]
        assert isinstance(start, datetime)
        assert start.timestamp() == document["start"].timestamp()
        for name in ("key", "open", "high", "close", "volume", "vtt", "ticks", "state"):
            assert row[name] == document[name]


_COLUMNS = {
    "key": "VARCHAR", "start": "TIMESTAMP WITH TIME ZONE", "open": "DOUBLE", "high": "DOUBLE",
    "low": "DOUBLE", "close": "DOUBLE", "ltq": "BIGINT", "ltt": "TIMESTAMP WITH TIME ZONE",
    "volume": "BIGINT", "vtt": "BIGINT", "atp": "DOUBLE", "oi": "BIGINT", "ticks": "BIGINT",
    "state": "VARCHAR", "silent_ms": "BIGINT", "epoch": "BIGINT", "source": "VARCHAR",
}  # fmt: skip
_COLUMNS_OF = {
    "parquet": "*",
    # A CSV file does not show the type of a column without values.
    "csv": "* REPLACE (atp::DOUBLE AS atp, oi::BIGINT AS oi, nullif(source, '') AS source)",
}


@pytest.mark.parametrize("form", ["parquet", "csv"])
async def test_duckdb_reads_the_collection_from_the_file(
    mongo_settings: MongoSettings, documents: list[dict[str, Any]], tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"bars.{form}"
    done = await export(mongo_settings, str(out))
    assert done.returncode == 0, done.stderr
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        source = f"(SELECT {_COLUMNS_OF[form]} FROM '{out}')"
        types = {row[0]: row[1] for row in db.execute(f"DESCRIBE FROM {source}").fetchall()}
        moments = "* REPLACE (epoch_ms(start) AS start, epoch_ms(ltt) AS ltt)"
        found = db.execute(f"SELECT {moments} FROM {source}")
        names = [column[0] for column in found.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert types == _COLUMNS
    assert rows == [
        document | {name: document[name] and to_ms(document[name]) for name in ("start", "ltt")}
        for document in documents
    ]


async def test_progress_is_shown_unless_quiet(
    mongo_settings: MongoSettings, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = str(tmp_path / "bars.csv")
    assert f"{len(documents)}/{len(documents)}" in (await export(mongo_settings, out)).stdout
    quiet = await export(mongo_settings, out, "--quiet")
    assert quiet.stdout == f"{len(documents)} bars in {out}\n"


async def test_the_command_has_a_help_text(mongo_settings: MongoSettings) -> None:
    done = await export(mongo_settings, "--help")
    assert done.returncode == 0
    for word in (".parquet", ".csv", "--key", "--from", "--to", "IST", "--quiet"):
        assert word in done.stdout


async def test_memory_does_not_grow_with_the_number_of_bars(
    mongo: Mongo, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    await BarStore(mongo).prepare()
    for at in range(0, 100_000, 20_000):
        rows = [bar_document(bar(number, KEY)) for number in range(at, at + 20_000)]
        await mongo.db["bars_5m"].insert_many(rows, ordered=False)
    few, many = str(tmp_path / "few.parquet"), str(tmp_path / "many.parquet")
    at = MONDAY_10_00 + 20_000 * WINDOW_MS
    few_bytes = await asyncio.to_thread(
        peak_bytes, mongo_settings, few, "--to", to_datetime(at).isoformat()
    )
    many_bytes = await asyncio.to_thread(peak_bytes, mongo_settings, many)
    assert parquet.read_metadata(few).num_rows == 20_000
    assert parquet.read_metadata(many).num_rows == 100_000
    assert many_bytes < few_bytes + (64 << 20)


async def test_a_file_that_cannot_be_completed_does_not_exist(
    mongo_settings: MongoSettings, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    away = mongo_settings.model_copy(
        update={"url": SecretStr("mongodb://127.0.0.1:9/"), "timeout_ms": 5_000}
    )
    done = await export(away, str(tmp_path / "bars.csv"))
    assert done.returncode == exit_codes.TEMPFAIL
    assert "127.0.0.1:9: connection refused (TRADEDAD_MONGO_URL)" in done.stderr
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["bars.xlsx"], "bars.xlsx ends in none of .parquet, .csv, .jsonl"),
        (["nowhere/bars.csv"], "folder nowhere does not exist"),
        (["bars.csv", "--from", "tomorrow"], "'tomorrow' is not an ISO 8601 date or time"),
    ],
)
async def test_an_impossible_export_has_an_error_message(
    mongo_settings: MongoSettings, args: list[str], expected: str
) -> None:
    done = await export(mongo_settings, *args)
    assert done.returncode != 0
    assert expected in done.stderr
