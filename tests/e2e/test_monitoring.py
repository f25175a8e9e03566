"""A real Prometheus finds data for every panel, and its alerts reach the operators."""

import asyncio
import json
import math
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from rich.console import Console

from docgen.monitoring.dashboards.all import DASHBOARDS
from embedded import demo
from embedded.demo_order import trade
from embedded.plan import Plan, prepare
from embedded.ports import HOST, free_ports
from embedded.settings import SERVICES
from embedded.signup import sign_up
from embedded.stack import Stack
from operations.certificates import create_authority
from tests.e2e.conftest import START_SECS
from tests.support.alerts import AlertReceiver, Prometheus, watched
from tests.support.builders import KEY
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ChildProcess, child_process
from tests.support.settings import process_environment
from tests.support.waiting import wait_until
from tradedad_client import Account, Client

WINDOW: Final = "5m"
# An alert is held for 30 s after 30 s of silence.
ALERT_SECS: Final = 60.0 + PATIENCE_SECS
FEED_CALLS: Final = "/v3/feed/market-data-feed"
# These depend on the load of the machine that runs the test.
OF_LOAD: Final = {"LatencyBudgetBurnsFast"}


@dataclass(frozen=True)
class Watched:
    """A stack with Prometheus and Alertmanager."""

    stack: Stack
    prometheus: Prometheus
    receiver: AlertReceiver

    def pages(self, status: str = "firing") -> set[str]:
        """Alerts that were to wake somebody."""
        return self.receiver.alerts("/page", status).keys() - OF_LOAD


@contextmanager
def server_metrics(plan: Plan, folder: Path) -> Iterator[str]:
    """The process with the figures of the stack's servers; yields its address."""
    (port,) = free_ports(1)
    (folder / "mongo-url").write_text(plan.mongo_url)
    (folder / "edge.crt").write_bytes(create_authority(datetime.now(UTC)).certificate)
    monitor = f"http://{HOST}:{plan.ports['TRADEDAD_STACK_NATS_MONITOR_PORT']}"
    command = [
        sys.executable, "-m", "operations.server_metrics", "--port", str(port), "--nats", monitor,
        "--mongo-url-file", str(folder / "mongo-url"), "--interval-secs", "1",
        "--certificate", f"edge=file:{folder / 'edge.crt'}",
    ]  # fmt: skip
    with child_process(ChildProcess("server-metrics", command, {})):
        yield f"http://{HOST}:{port}"


async def buy(plan: Plan) -> None:
    """A new user's paper order."""
    url = plan.url("TRADEDAD_GATEWAY_PORT")
    async with aiohttp.ClientSession() as http:
        account = await sign_up(http, url)
    async with Client(url, email=account.email, password=account.password) as client:
        await trade(client, Account.PAPER, KEY, "RELIANCE")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The system after the demo: it has had a user, a stream, an order and a bar."""
    folder = tmp_path_factory.mktemp("monitoring")
    settings = process_environment(has_outages=True) | demo.overrides()
    del settings["TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS"]
    plan = prepare(
        data_dir=folder / "data", use_free_ports=True, always_simulated=True, overrides=settings
    )
    with (folder / "log").open("wb") as output, Stack(plan, output) as stack:
        stack.wait_ready(START_SECS)
        with (
            server_metrics(plan, folder) as url,
            watched(plan.ops_urls | {"server-metrics": url}, folder) as (prometheus, receiver),
        ):
            wait_until(
                lambda: len(prometheus.query("up == 1")) == len(SERVICES) + 1,
                what="every service is scraped",
            )
            asyncio.run(demo.run_demo(plan, Console(quiet=True)))
            # Series that began with the first order have a rate after the second.
            asyncio.run(buy(plan))
            yield Watched(stack, prometheus, receiver)
            stack.check_alive()


def has_data(prometheus: Prometheus, query: str) -> bool:
    """Whether a series has a value now; a quantile of nothing is not a number."""
    samples = prometheus.query(query.replace("$__rate_interval", WINDOW))
    return any(not math.isnan(float(sample["value"][1])) for sample in samples)


def without_data(prometheus: Prometheus) -> list[str]:
    """The panels with a query that returns nothing now."""
    return [
        f"{dashboard.uid}: {panel.title}: {query}"
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query, _ in panel.queries
        if not has_data(prometheus, query)
    ]


def test_every_query_of_every_panel_returns_data(system: Watched) -> None:
    assert not has_data(system.prometheus, "tradedad_no_such_metric")

    missing: list[str] = []

    def all_have_data() -> bool:
        nonlocal missing
        missing = without_data(system.prometheus)
        return not missing

    try:
        wait_until(all_have_data, what="every query returns data")
    except AssertionError:
        pytest.fail("panels without data:\n" + "\n".join(missing))


def test_a_feed_that_ends_pages_the_operators_with_its_alert_and_no_other(
    system: Watched,
) -> None:
    assert system.pages() == set()
    arm(system, kind="error", path=FEED_CALLS, times=None)
    arm(system, kind="abort")
    wait_until(
        lambda: "FeedSilent" in system.pages(), what="FeedSilent fires", timeout_secs=ALERT_SECS
    )
    assert system.pages() == {"FeedSilent"}
    alert = system.receiver.alerts("/page", "firing")["FeedSilent"]
    assert "no market data" in alert["annotations"]["summary"]
    assert alert["annotations"]["runbook"] == "docs/operations.md#feedsilent"
    ask(system, "DELETE")
    wait_until(
        lambda: "FeedSilent" in system.pages("resolved"),
        what="FeedSilent is resolved",
        timeout_secs=ALERT_SECS,
    )


def arm(system: Watched, **fault: Any) -> None:
    """Arm a fault of the simulated Upstox."""
    ask(system, "POST", json.dumps(fault).encode())


def ask(system: Watched, method: str, body: bytes | None = None) -> None:
    """Call the simulator's list of faults."""
    url = f"{system.stack.plan.url('TRADEDAD_SIMULATOR_PORT')}/simulator/v1/faults"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers, method=method)
    urllib.request.urlopen(request, timeout=PATIENCE_SECS).close()
