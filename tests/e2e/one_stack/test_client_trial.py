"""A new author's first day: the README's programs, the examples, the notebook and the commands."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import polars as pl
import pytest

from embedded.daemons import ROOT
from embedded.signup import Account, sign_up
from embedded.stack import Stack
from tests.support.documented_programs import client_environment, programs
from tests.support.patience import PATIENCE_SECS, TEST_TIMEOUT_SECS
from tradedad_client import Account as TradingAccount
from tradedad_client import NewOrder, OrderType, Product, Quote, Side, UnknownInstrument, sync

CLIENT = ROOT / "clients" / "python"
EXAMPLES = CLIENT / "examples"
RELIANCE = "NSE_EQ|INE002A01018"
# Runs the cells of a notebook as Jupyter does: in a thread with a running event loop.
NOTEBOOK = """
import asyncio, json, sys
async def run():
    names = {}
    for cell in json.load(open(sys.argv[1]))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
asyncio.run(run())
"""


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    async def create() -> Account:
        async with aiohttp.ClientSession() as http:
            return await sign_up(http, stack.plan.url("TRADEDAD_GATEWAY_PORT"))

    return asyncio.run(create())


@pytest.fixture(scope="module")
def environment(stack: Stack, account: Account) -> dict[str, str]:
    return client_environment(stack, account)


@pytest.fixture
def client(stack: Stack, account: Account) -> Iterator[sync.Client]:
    with sync.Client(
        stack.plan.url("TRADEDAD_GATEWAY_PORT"),
        email=account.email,
        password=account.password,
        open_timeout_secs=PATIENCE_SECS,
    ) as client:
        yield client


def python(environment: dict[str, str], *arguments: str | Path) -> str:
    """Run Python to its end; return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TEST_TIMEOUT_SECS / 2,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_further_programs_of_the_readme_run(
    stack: Stack, account: Account, environment: dict[str, str]
) -> None:
    _, month, asynchronous = programs(CLIENT / "README.md", stack, account)
    assert "(1662, 15)" in python(environment, "-c", month)
    assert "BarList('NSE_EQ|INE002A01018', '1d'" in python(environment, "-c", asynchronous)


def test_the_notebook_runs(environment: dict[str, str]) -> None:
    printed = python(environment, "-c", NOTEBOOK, EXAMPLES / "first_day.ipynb")
    assert "IST NSE_EQ|INE002A01018" in printed
    assert "volatility" in printed
    notebook = json.loads((EXAMPLES / "first_day.ipynb").read_text())
    assert not any(cell.get("outputs") for cell in notebook["cells"])


def test_the_moving_average_trades_on_paper(environment: dict[str, str]) -> None:
    bot = EXAMPLES / "moving_average.py"
    printed = python(
        environment, bot, "RELIANCE",
        "--short", "1", "--long", "2", "--quantity", "1", "--signals", "2",
    )  # fmt: skip
    signals = [line for line in printed.splitlines() if " at " in line]
    assert len(signals) == 2
    assert {line.split()[2] for line in signals} == {"BUY", "SELL"}
    assert printed.count(" 1 is ") == 2


def test_the_scanner_prints_symbols(environment: dict[str, str], client: sync.Client) -> None:
    # The feed carries what somebody follows.
    with client.quotes(["RELIANCE"]) as quotes:
        quotes.ready(PATIENCE_SECS)
        arguments = ("NSE_EQ", "--top", "2", "--every", "0.5", "--tables", "1")
        printed = python(environment, EXAMPLES / "scanner.py", *arguments)
    assert "%" in printed.splitlines()[0]
    assert "IST" in printed


def test_a_month_is_exported_to_parquet(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "month.parquet"
    python(environment, EXAMPLES / "export_month.py", "RELIANCE", "2026-10", file)
    frame = pl.read_parquet(file)
    assert str(frame["start"][0]) == "2026-10-01 09:15:00+05:30"
    assert str(frame["start"][-1]) == "2026-10-30 15:25:00+05:30"


def test_commands_print_one_line_for_each_message(environment: dict[str, str]) -> None:
    def lines(*arguments: str) -> list[str]:
        return python(environment, "-m", "tradedad_client", *arguments).splitlines()

    assert len(lines("search", "reliance", "--type", "EQ", "--limit", "1", "--json")) == 1
    days = ("--interval", "1d", "--start", "2026-10-01", "--end", "2026-10-08")
    assert len(lines("bars", "RELIANCE", *days, "--csv")) == 1 + 4
    assert len(lines("watch", "RELIANCE", "--count", "2", "--csv")) == 1 + 2
    assert "NSE_EQ,NORMAL_OPEN" in lines("status", "--csv")
    assert len(lines("chain", "Nifty 50", "--json")) > 10


def test_a_closed_pipe_ends_a_command_quietly(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tradedad_client", "watch", "RELIANCE", "Nifty 50"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b" IST  " in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE_SECS) == 141


def test_names_are_found_and_unknown_ones_raised(client: sync.Client) -> None:
    assert client.instruments.get("reliance").key == RELIANCE
    assert client.instruments.detail("RELIANCE").reference is not None
    assert client.gaps("RELIANCE", "2026-10-01", "2026-10-02") == []
    chain = client.option_chain("Nifty 50")
    assert chain.expiry == chain.expiries[0]
    with pytest.raises(UnknownInstrument, match="similar: RELIANCE"):
        client.bars("RELAINCE", "5m", "2026-11-01")
    with pytest.raises(UnknownInstrument, match=r"NSE_EQ\|NONE"):
        client.quotes(["RELIANCE", "NSE_EQ|NONE"]).ready(PATIENCE_SECS)
    with pytest.raises(UnknownInstrument):
        next(client.quotes(["RELAINCE"]))


def test_the_blocking_client_follows_and_trades(client: sync.Client) -> None:
    with client.quotes(["RELIANCE"]) as quotes:
        assert quotes.ready(PATIENCE_SECS).keys() == {RELIANCE}
        assert quotes.names == {RELIANCE: "RELIANCE"}
        assert isinstance(quotes.read(PATIENCE_SECS), Quote)
    assert all(isinstance(quote, Quote) for quote in quotes), "it ends once it is closed"
    assert client.last_quotes(["RELIANCE"]).quotes[0].key == RELIANCE
    events = client.trading.follow()
    events.ready()
    order = NewOrder(
        account=TradingAccount.PAPER, key="RELIANCE", side=Side.BUY, product=Product.INTRADAY,
        quantity=1, order_type=OrderType.MARKET,
    )  # fmt: skip
    placed = client.trading.place(order)
    event = next(events)
    assert event.order is not None
    assert event.order.order_id == placed.order_id
    events.close()
