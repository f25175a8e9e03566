"""Random stories of orders at Upstox: none is doubled, lost, or told wrong."""

import os
from pathlib import Path
from typing import Final

import pytest

from shared.runtime.settings import MongoSettings
from tests.support.servers import NatsServer
from tests.support.upstox_stage import stage
from tests.support.upstox_stories import Told, tell

STORIES: Final = int(os.environ.get("UPSTOX_STORIES", "1000"))
"""Of the long form."""
AT_ONCE: Final = 30


@pytest.fixture(autouse=True)
def quick_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books are read, and lost commands settled, in seconds; faults last shorter still."""
    monkeypatch.setattr("services.trading.partition.upstox_account._WITH_ORDERS_SECS", 2.0)
    monkeypatch.setattr("services.trading.partition.upstox_account._WITHOUT_ORDERS_SECS", 3.0)
    monkeypatch.setattr("services.trading.partition.upstox_books.SETTLED_AFTER_SECS", 6.0)
    monkeypatch.setattr("services.trading.live.lookups.DELAYS_SECS", (0.5, 1.0, 2.0))


async def told(
    nats: NatsServer, mongo_settings: MongoSettings, keys_dir: Path, seeds: range
) -> Told:
    async with stage(nats, mongo_settings, keys_dir) as (made, bus):
        return await tell(made, bus, seeds)


async def test_thirty_stories_end_as_the_ledger_says(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    result = await told(nats, mongo_settings, tmp_path / "keys", range(AT_ONCE))
    assert result.findings == {}
    # The stories were not empty.
    for what in ("place open", "place unknown", "order filled at the end", "restarts"):
        assert result.tally[what] > 0, result.tally


@pytest.mark.long
@pytest.mark.parametrize("first", range(AT_ONCE, STORIES, AT_ONCE))
async def test_a_thousand_stories_end_as_the_ledger_says(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path, first: int
) -> None:
    seeds = range(first, min(first + AT_ONCE, STORIES))
    assert (await told(nats, mongo_settings, tmp_path / "keys", seeds)).findings == {}
