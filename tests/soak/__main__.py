"""Random faults on a whole stack, watched by clients and a bar oracle: ``make soak-stack``.

Every fault ends before the next begins. Three things are checked: each client receives live
quotes again after each fault, no service is silent about a job that it does not do, and at the
end each stored bar equals the simulator's trades or is honestly partial. Prints a report and
exits with 1 if one of them failed. As root on Linux the data folder is a small file system of its
own, so that the disk can be full; with Debian's libfaketime the clock can be stepped.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from pymongo import AsyncMongoClient

from embedded.daemons import ROOT
from embedded.plan import Plan, prepare
from embedded.ports import HOST
from embedded.stack import Stack, log_tail
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS, day_start
from tests.soak.bars import BarReport, Database, StoredWindows, compare_bars
from tests.soak.clients import WatchedClient, watched_clients
from tests.soak.faults import Surroundings, faults
from tests.soak.processes import StackProcesses
from tests.soak.silence import Duty, SilenceDetector
from tests.support.tcp_proxy import cuttable_proxy

_SPEED: Final = 20
_CLIENTS: Final = 10
_INSTRUMENTS: Final = 20
_PAUSE_SECS: Final = (5.0, 25.0)
_BACK_SECS: Final = 90.0
"""Time in which every client must receive live quotes after a fault."""
_PRICES_SILENCE_SECS: Final = 20.0
_BARS_SILENCE_SECS: Final = 60.0 + WINDOW_MS / 1_000 / _SPEED
_CALM_SECS: Final = 180.0
"""Time without faults at the end, in which gaps are repaired."""
_START_SECS: Final = 180.0
_DISK_BYTES: Final = 6 << 30
_BEFORE_MIDNIGHT_MS: Final = 200 * MINUTE_MS
"""Exchange time before midnight in India at the start: faults are played on both days."""
_LOG: Final = ROOT / ".data" / "soak.log"
"""Not on the disk that faults fill."""
_FAKETIME: Final = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@dataclass
class SoakReport:
    """What was played, and what was found."""

    faults: Counter[str] = field(default_factory=Counter)
    unavailable: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    quotes: int = 0
    not_ready_samples: dict[str, int] = field(default_factory=dict)
    bars: BarReport = field(default_factory=BarReport)

    def all_failures(self) -> list[str]:
        """Everything that must not have happened."""
        return [*self.failures, *self.bars.wrong]


@contextmanager
def data_disk(report: SoakReport) -> Iterator[tuple[Path, bool]]:
    """A folder, and whether it is a file system of its own."""
    with tempfile.TemporaryDirectory(prefix="tradedad-soak-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        is_own = mounted.returncode == 0
        if not is_own:
            report.unavailable.append("full disk: mount needs root")
        try:
            yield Path(folder), is_own
        finally:
            if is_own:
                subprocess.run(["umount", "--lazy", folder], check=True)


def plan_stack(folder: Path, report: SoakReport) -> tuple[Plan, Path | None]:
    """The plan of the stack, and the file that sets its clock."""
    starts_ms = day_start(int(time.time() * 1_000)) + DAY_MS - _BEFORE_MIDNIGHT_MS
    overrides = {
        "TRADEDAD_SIMULATOR_START_MS": str(starts_ms),
        "TRADEDAD_SIMULATOR_SPEED": str(_SPEED),
        "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "1",
        "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": "1000",
        "TRADEDAD_SIMULATOR_LEDGER_MAX_ROWS": "1000000",
        "TRADEDAD_LOG_FORMAT": "json",
    }
    plan = prepare(
        data_dir=folder / "data", use_free_ports=True, always_simulated=True, overrides=overrides
    )
    if not Path(_FAKETIME).exists():
        report.unavailable.append("clock step: Debian's libfaketime is not installed")
        return plan, None
    clock_file = folder / "clock"
    clock_file.write_text("+0s\n")
    plan.environment.update(
        {
            "PATH": f"{_python_with_clock(folder)}:{plan.environment['PATH']}",
            "FAKETIME_TIMESTAMP_FILE": str(clock_file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    )
    return plan, clock_file


def _python_with_clock(folder: Path) -> Path:
    """A folder with a `python` that gives the services the clock of the soak test.

    Supervisors keep the real clock, because libfaketime breaks `time.sleep`.
    """
    programs = folder / "bin"
    programs.mkdir()
    script = programs / "python"
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '"-m services.simulator") ;;\n'
        f'"-m services."*) export LD_PRELOAD={_FAKETIME} ;;\n'
        "esac\n"
        f'exec {sys.executable} "$@"\n'
    )
    script.chmod(0o755)
    return programs


async def soak(minutes: float, seed: int, report: SoakReport, folder: Path, is_own: bool) -> None:
    """Start the stack, play faults, and compare."""
    plan, clock_file = plan_stack(folder, report)
    nats_port = plan.ports["TRADEDAD_STACK_NATS_PORT"]
    gateway_port = plan.ports["TRADEDAD_GATEWAY_PORT"]
    async with cuttable_proxy(nats_port) as nats, cuttable_proxy(gateway_port) as front:
        plan.environment["TRADEDAD_NATS_URL"] = f"nats://{nats.address}"
        _LOG.parent.mkdir(exist_ok=True)
        with _LOG.open("wb") as log, Stack(plan, log) as stack:
            try:
                await asyncio.to_thread(stack.wait_ready, _START_SECS)
                around = Surroundings(
                    processes=StackProcesses(stack),
                    random=random.Random(seed),
                    nats_proxy=nats,
                    client_proxy=front,
                    nats_folder=plan.data_dir / "nats",
                    nats_copy=folder / "nats-copy",
                    disk=folder if is_own else None,
                    clock_file=clock_file,
                )
                await _watch(minutes, around, stack, report, front.address)
            except BaseException:
                print(log_tail(_LOG, 60), file=sys.stderr)
                raise
            finally:
                if report.all_failures():
                    print(f"the log of all services is in {_LOG}", file=sys.stderr)


async def _watch(
    minutes: float, around: Surroundings, stack: Stack, report: SoakReport, address: str
) -> None:
    plan = stack.plan
    keys = await _get_json(f"{plan.url('TRADEDAD_SIMULATOR_PORT')}/simulator/v1/instruments")
    keys = [row["key"] for row in keys][:_INSTRUMENTS]
    mongo: Database = AsyncMongoClient(plan.mongo_url, timeoutMS=5_000, tz_aware=True)
    gateway = plan.url("TRADEDAD_GATEWAY_PORT")
    async with mongo, watched_clients(gateway, f"http://{address}", keys, _CLIENTS) as clients:
        windows = StoredWindows(mongo)
        duties = [
            Duty(
                "live prices", ("ingest", "gateway"), _PRICES_SILENCE_SECS,
                lambda: max(client.last_quote_at for client in clients),
            ),
            Duty("bars", ("ingest", "persister"), _BARS_SILENCE_SECS, lambda: windows.advanced_at),
        ]  # fmt: skip
        detector = SilenceDetector(stack, duties)
        sampling = asyncio.create_task(_sample(windows))
        detecting = asyncio.create_task(detector.run())
        try:
            await _until_back(clients, report, "start")
            await windows.sample()
            from_ms = await _exchange_window(plan) + WINDOW_MS
            await _play(minutes, around, clients, report, detecting)
            await asyncio.sleep(_CALM_SECS)
            await windows.sample()
            if detecting.done():
                await detecting  # raises why the stack ended
            report.failures += detector.violations
            report.not_ready_samples = detector.not_ready_samples
            report.quotes = sum(client.quotes for client in clients)
            to_ms = windows.closed_until_ms - WINDOW_MS
            report.bars = await compare_bars(
                mongo, plan.url("TRADEDAD_SIMULATOR_PORT"), keys, from_ms=from_ms, to_ms=to_ms
            )
        finally:
            for task in (sampling, detecting):
                task.cancel()
            await asyncio.gather(sampling, detecting, return_exceptions=True)


async def _sample(windows: StoredWindows) -> None:
    while True:
        await windows.sample()
        await asyncio.sleep(1)


async def _play(
    minutes: float,
    around: Surroundings,
    clients: list[WatchedClient],
    report: SoakReport,
    detecting: "asyncio.Task[None]",
) -> None:
    available = faults(around)
    deadline = time.monotonic() + minutes * 60
    while time.monotonic() < deadline and not detecting.done():
        name = around.random.choice(sorted(available))
        print(f"{time.strftime('%H:%M:%S')} {name}: ", end="", flush=True)
        description = await available[name]()
        print(description, flush=True)
        report.faults[name] += 1
        await _until_back(clients, report, f"{name} {description}")
        await asyncio.sleep(around.random.uniform(*_PAUSE_SECS))


async def _until_back(clients: list[WatchedClient], report: SoakReport, after: str) -> None:
    """Wait until each client has received a live quote; record those that do not."""
    since = time.monotonic()
    while time.monotonic() - since < _BACK_SECS:
        if all(client.last_quote_at > since for client in clients):
            return
        await asyncio.sleep(0.1)
    away = [client for client in clients if client.last_quote_at <= since]
    reasons = {client.failure for client in away}
    report.failures.append(
        f"after {after}: {len(away)} clients without quotes for {_BACK_SECS:.0f} s: {reasons}"
    )
    print(report.failures[-1], flush=True)


async def _exchange_window(plan: Plan) -> int:
    clock = await _get_json(f"{plan.url('TRADEDAD_SIMULATOR_PORT')}/simulator/v1/clock")
    return int(clock["now_ms"]) // WINDOW_MS * WINDOW_MS


async def _get_json(url: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        response.raise_for_status()
        return await response.json()


def main() -> int:
    """Run the soak test of the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="time with faults")
    parser.add_argument("--seed", type=int, default=None, help="of the order of the faults")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(4))
    print(f"seed {seed}, {arguments.minutes:g} minutes, on {HOST}", flush=True)
    report = SoakReport()
    with data_disk(report) as (folder, is_own):
        asyncio.run(soak(arguments.minutes, seed, report, folder, is_own))
    failures = report.all_failures()
    print(json.dumps({
        "faults": report.faults, "not_played": report.unavailable, "quotes": report.quotes,
        "seconds_not_ready": report.not_ready_samples, "bars_equal": report.bars.equal,
        "bars_repaired": report.bars.repaired, "bars_partial": report.bars.partial,
        "bars_missing_in_a_gap": report.bars.missing_in_gap, "failures": failures[:100],
    }, indent=2))  # fmt: skip
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
