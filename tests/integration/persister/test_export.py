"""The export opens elsewhere, and equals the collection."""

import asyncio
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyarrow import csv, parquet

from embedded.daemons import ROOT
from services.persister.documents import bar_document
from services.persister.store import BarStore
from shared.exchange_time import WINDOW_MS, to_datetime
from shared.messages import Bar, BarState
from shared.mongo import Mongo
from shared.settings import MongoSettings
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY

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
    """What is stored, in the order of key and time."""
    await BarStore(mongo).prepare()
    made = [bar_document(bar(number, key)) for key in (KEY, OTHER_KEY) for number in range(NUMBER)]
    await mongo.db["bars_5m"].insert_many(reversed(made))
    return [{name: value for name, value in one.items() if name != "_id"} for one in made]


async def export(settings: MongoSettings, *args: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.persister", "export", *args],
        cwd=ROOT,
        env=os.environ
        | {
            "TRADEDAD_MONGO_URL": settings.url.get_secret_value(),
            "TRADEDAD_MONGO_DATABASE": settings.database,
        },
        capture_output=True,
        text=True,
        timeout=50,
    )


async def test_a_parquet_file_equals_the_collection(
    mongo_settings: MongoSettings, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "bars.parquet"
    done = await export(mongo_settings, str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"{2 * NUMBER} bars in {out}\n")
    assert parquet.read_table(out).to_pylist() == documents


async def test_a_csv_file_holds_the_bars_of_a_key_and_a_time(
    mongo_settings: MongoSettings, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "bars.csv"
    done = await export(
        mongo_settings, str(out), "--key", KEY, "--from", "2026-11-23T10:10", "--to",
        "2026-11-23T11:00", "--quiet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = csv.read_csv(out).to_pylist()
    wanted = [
        one
        for one in documents
        if one["key"] == KEY
        and to_datetime(MONDAY_10_00 + 600_000)
        <= one["start"]
        < to_datetime(MONDAY_10_00 + 3_600_000)
    ]
    assert len(rows) == 10
    for row, one in zip(rows, wanted, strict=True):
        start = row["start"]
        assert isinstance(start, datetime)
        assert start.timestamp() == one["start"].timestamp()
        for name in ("key", "open", "high", "close", "volume", "vtt", "ticks", "state"):
            assert row[name] == one[name]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["bars.xlsx"], "neither in .parquet nor in .csv"),
        (["nowhere/bars.csv"], "there is no folder nowhere"),
        (["bars.csv", "--from", "tomorrow"], "'tomorrow' is no ISO 8601 date or time"),
    ],
)
async def test_what_cannot_be_exported_is_said(
    mongo_settings: MongoSettings, args: list[str], said: str
) -> None:
    done = await export(mongo_settings, *args)
    assert done.returncode != 0
    assert said in done.stderr
