"""A backup under load, restored into an empty system, serves the same bars, accounts and orders."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import aiohttp
from pymongo import AsyncMongoClient

from embedded import daemons
from embedded.daemons import ROOT
from embedded.demo_order import trade
from embedded.plan import Plan, prepare
from embedded.signup import Account as Credentials
from embedded.signup import sign_up
from embedded.stack import Stack
from operations.backup.bson_file import read_documents
from operations.backup.manifest import read_manifest
from shared.market.exchange_time import MINUTE_MS, day_start
from tests.e2e.conftest import START_SECS
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.processes import child_process
from tests.support.servers import MongoServer, mongod_program
from tests.support.settings import FEW_TRADES, process_environment
from tests.support.waiting import eventually
from tradedad_client import Account, Client

_KEY: Final = "NSE_EQ|INE002A01018"
_SYMBOL: Final = "RELIANCE"
_HOUR_MS: Final = 60 * MINUTE_MS
_COMPLETE: Final = {"key": _KEY, "state": "complete"}
_FOLDERS: Final = ("secrets", "keys", "seal-keys")


def plan_of(folder: Path, start_ms: int, *, speed: int) -> Plan:
    """A stack with a simulated market that begins at a given time."""
    settings = process_environment(has_outages=True) | {
        "TRADEDAD_SIMULATOR_START_MS": str(start_ms),
        "TRADEDAD_SIMULATOR_SPEED": str(speed),
        **FEW_TRADES,
        # The load must not end because of a limit.
        "TRADEDAD_TRADING_MAX_ORDERS_PER_SEC": "1000",
        "TRADEDAD_TRADING_OPENING_CASH_RUPEES": str(10**9),
        "TRADEDAD_TRADING_MAX_DAILY_LOSS_RUPEES": str(10**9),
    }
    del settings["TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS"]  # as in conftest.py
    return prepare(data_dir=folder, use_free_ports=True, always_simulated=True, overrides=settings)


@asynccontextmanager
async def running(plan: Plan) -> AsyncIterator[Stack]:
    log = plan.data_dir / "log"
    output = await asyncio.to_thread(log.open, "wb")
    stack = Stack(plan, output)
    with output:
        await asyncio.to_thread(stack.__enter__)
        try:
            await asyncio.to_thread(stack.wait_ready, START_SECS)
            yield stack
        finally:
            await asyncio.to_thread(stack.__exit__, None, None, None)


async def operate(plan: Plan, *arguments: str) -> str:
    """What a command of the family prints, with the settings of this stack."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "operations", *arguments],
        cwd=ROOT, env=plan.environment, capture_output=True, text=True,
        timeout=TEST_TIMEOUT_SECS / 2, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def client_of(plan: Plan, user: Credentials) -> Client:
    url = plan.url("TRADEDAD_GATEWAY_PORT")
    return Client(url, email=user.email, password=user.password)


async def bars(plan: Plan, user: Credentials) -> list[dict[str, Any]]:
    """The five-minute bars of an instrument, by the public API, after a new login."""
    url = plan.url("TRADEDAD_GATEWAY_PORT")
    async with aiohttp.ClientSession(url, raise_for_status=True) as http:
        credentials = {"email": user.email, "password": user.password}
        async with http.post("/auth/login", json=credentials) as login:
            token = (await login.json())["access_token"]
        query = {"key": _KEY, "interval": "5m", "from": "0"}
        headers = {"Authorization": f"Bearer {token}"}
        async with http.get("/v1/bars", params=query, headers=headers) as answer:
            stored: list[dict[str, Any]] = (await answer.json())["bars"]
            return stored


async def wait_for_a_bar(plan: Plan) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(plan.mongo_url)
    async with client:
        stored = client["tradedad"]["bars_5m"]
        await eventually(lambda: stored.find_one(_COMPLETE), what="a bar is stored")


async def keep_trading(client: Client) -> None:
    """The load: one order after the other, each until it is filled."""
    while True:
        await trade(client, Account.PAPER, _KEY, _SYMBOL)


async def all_events(client: Client) -> list[Any]:
    """All events of the user, as they were published."""
    events: list[Any] = []
    while True:
        page = await client.trading.events(events[-1].seq if events else 0)
        events += page.events
        if not events or events[-1].seq >= page.last_seq:
            return events


def saved_events(backup: Path) -> int:
    """The number of events in a backup: only one user has any."""
    collections = read_manifest(backup).collections
    return next(one.documents for one in collections if one.name == "trading_journal")


def saved_bars(backup: Path) -> set[int]:
    """The starts of the complete bars in a backup, epoch ms."""
    documents = read_documents(backup / "bars_5m.bson.gz")
    complete = [bar for bar in documents if bar.items() >= _COMPLETE.items()]
    return {int(bar["start"].replace(tzinfo=UTC).timestamp() * 1_000) for bar in complete}


async def has_positions_of_orders(client: Client) -> bool:
    events = await all_events(client)
    filled = {event.order.order_id: event.order.filled_quantity for event in events if event.order}
    positions = (await client.trading.positions(Account.PAPER)).positions
    return [(one.key, one.quantity) for one in positions] == [(_KEY, sum(filled.values()))]


async def restore_into(plan: Plan, backup: Path) -> None:
    """Restore into the empty mongod of a stack that does not run yet."""
    port = plan.ports["TRADEDAD_STACK_MONGO_PORT"]
    folder = plan.data_dir / "mongo"
    command = daemons.mongod_command(mongod_program(), port=port, folder=folder)
    server = MongoServer(command, port, {})
    with child_process(server):
        await operate(plan, "backup", "restore", str(backup))
        await asyncio.to_thread(server.stop)


async def test_a_restored_system_serves_the_same_bars_accounts_and_orders(tmp_path: Path) -> None:
    midnight_ms = day_start(int(time.time() * 1_000))
    old = await asyncio.to_thread(plan_of, tmp_path / "old", midnight_ms + _HOUR_MS, speed=20)
    backup, archive = tmp_path / "backup", tmp_path / "keys.tar.gz"
    async with running(old), aiohttp.ClientSession() as http:
        user = await sign_up(http, old.url("TRADEDAD_GATEWAY_PORT"))
        async with client_of(old, user) as client:
            await trade(client, Account.PAPER, _KEY, _SYMBOL)
            await wait_for_a_bar(old)
            load = asyncio.create_task(keep_trading(client))
            try:
                await operate(old, "backup", "take", str(backup))
            finally:
                load.cancel()
                await asyncio.gather(load, return_exceptions=True)
            assert load.cancelled(), "the load ran until the end of the backup"
            # After the backup, so the restored system does not know it.
            await trade(client, Account.PAPER, _KEY, _SYMBOL)
            folders = [str(old.data_dir / name) for name in _FOLDERS]
            await operate(old, "backup", "keys", str(archive), *folders)
            bars_before = await bars(old, user)
            events_before = await all_events(client)

    # An empty system, with nothing of the old one but the two backups.
    data = tmp_path / "new" / "simulated"
    await asyncio.to_thread(data.mkdir, parents=True)
    unpack = ["tar", "-xzpf", str(archive), "-C", str(data)]
    await asyncio.to_thread(subprocess.run, unpack, check=True)
    new = await asyncio.to_thread(plan_of, tmp_path / "new", midnight_ms + 13 * _HOUR_MS, speed=1)
    await restore_into(new, backup)
    async with running(new), client_of(new, user) as client:
        # Partial bars may be repaired by either system.
        starts = saved_bars(backup)
        bars_after = [bar for bar in await bars(new, user) if bar["start"] in starts]
        assert bars_after == [bar for bar in bars_before if bar["start"] in starts]
        assert starts
        # What was open at the moment of the backup may be filled anew: only saved events are equal.
        saved = saved_events(backup)
        assert 3 < saved < len(events_before)
        events = await all_events(client)
        assert events[:saved] == events_before[:saved]
        placed = {event.order.order_id for event in events_before[:saved] if event.order}
        orders = await client.trading.orders(Account.PAPER)
        assert orders
        assert placed.issuperset(order.order_id for order in orders)
        await eventually(
            lambda: has_positions_of_orders(client), what="positions are those of orders"
        )
        # Life goes on: a new order is filled, and its events follow those that were restored.
        await trade(client, Account.PAPER, _KEY, _SYMBOL)
        later = await all_events(client)
        assert later[:saved] == events[:saved]
        assert [event.seq for event in later] == list(range(1, len(later) + 1))
