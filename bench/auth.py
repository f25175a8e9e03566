"""Measures a gateway's latency while auth is flooded with logins: ``make bench-auth``.

The stack is that of ``make run``, each part a process. This process runs twenty clients. The
latency is the time from ingest's receipt of a frame to a client's receipt of the quote. Rounds
with and without the flood alternate, so that other load of the machine affects both equally.
"""

import asyncio
import json
import math
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
from rich.console import Console

from bench.harness import report_lines
from embedded.plan import Plan, prepare
from embedded.signup import sign_up
from embedded.stack import Stack
from services.simulator.market.instruments import INSTRUMENTS

ACCOUNTS: Final = 10
STREAMS_PER_ACCOUNT: Final = 2
ROUNDS: Final = 6
ROUND_SECS: Final = 10.0
SETTLE_SECS: Final = 2.0
LOGINS_PER_SEC: Final = 50.0
_OVERRIDES: Final = {
    "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": "100",
    "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "5",
    "TRADEDAD_LOG_LEVEL": "error",
    "TRADEDAD_LOG_FORMAT": "json",
}
_RECEIVED_AT: Final = re.compile(r'"rt":(\d+)')


class LatencyRecorder:
    """Records the latency of every quote that a client receives."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []

    async def receive(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT and '"rt":' in message.data:
                now_us = time.time() * 1e6
                stamps_us = _RECEIVED_AT.findall(message.data)
                self.latencies_ms += [(now_us - int(stamp)) / 1e3 for stamp in stamps_us]

    async def record(self, secs: float) -> list[float]:
        """Return the latencies of `secs` seconds in ms, sorted, after a settling time."""
        await asyncio.sleep(SETTLE_SECS)
        self.latencies_ms = []
        await asyncio.sleep(secs)
        return sorted(self.latencies_ms)


def quantile(ordered: list[float], share: float) -> float:
    """Return the quantile of sorted values by the nearest-rank method."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


async def measure(plan: Plan) -> dict[str, float]:
    """Measure all rounds on a stack that is ready; returns the figures."""
    recorder = LatencyRecorder()
    auth_url = plan.url("TRADEDAD_AUTH_PORT")
    baseline: list[list[float]] = []
    flooded: list[list[float]] = []
    logins: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        tokens = [await _token(http, auth_url) for _ in range(ACCOUNTS)]
        receivers = [
            asyncio.create_task(recorder.receive(await _subscribed(stack, http, plan, token)))
            for token in tokens
            for _ in range(STREAMS_PER_ACCOUNT)
        ]
        for _ in range(ROUNDS):
            baseline.append(await recorder.record(ROUND_SECS))
            flooder = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.login_flood", auth_url, str(LOGINS_PER_SEC)),
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            flooded.append(await recorder.record(ROUND_SECS))
            flooder.terminate()
            output, _ = await flooder.communicate()
            logins.update(json.loads(output))
        for receiver in receivers:
            receiver.cancel()
        await asyncio.gather(*receivers, return_exceptions=True)
    return _figures(baseline, flooded, logins)


async def _token(http: aiohttp.ClientSession, auth_url: str) -> str:
    """Sign up a new user and log in; returns the access token."""
    account = await sign_up(http, auth_url)
    body = {"email": account.email, "password": account.password}
    async with http.post(f"{auth_url}/auth/login", json=body) as response:
        response.raise_for_status()
        token: str = (await response.json())["access_token"]
        return token


async def _subscribed(
    stack: AsyncExitStack, http: aiohttp.ClientSession, plan: Plan, token: str
) -> aiohttp.ClientWebSocketResponse:
    url = f"{plan.url('TRADEDAD_GATEWAY_PORT')}/ws"
    socket = await stack.enter_async_context(http.ws_connect(url, max_msg_size=0))
    await socket.send_json({"op": "auth", "token": token})
    keys = [instrument.key for instrument in INSTRUMENTS]
    await socket.send_json({"op": "subscribe", "id": 1, "channel": "quotes", "keys": keys})
    return socket


def _figures(
    baseline: list[list[float]], flooded: list[list[float]], logins: Counter[str]
) -> dict[str, float]:
    ratios = [
        quantile(with_flood, 0.99) / quantile(without, 0.99)
        for without, with_flood in zip(baseline, flooded, strict=True)
    ]
    all_baseline = sorted(value for latencies in baseline for value in latencies)
    all_flooded = sorted(value for latencies in flooded for value in latencies)
    return {
        "deliveries": len(all_baseline) + len(all_flooded),
        "logins_verified": logins["401"],
        "logins_refused": logins["503"] + logins["429"],
        "p50_ms_baseline": quantile(all_baseline, 0.5),
        "p50_ms_flooded": quantile(all_flooded, 0.5),
        "p99_ms_baseline": quantile(all_baseline, 0.99),
        "p99_ms_flooded": quantile(all_flooded, 0.99),
        "p99_ratio": quantile(all_flooded, 0.99) / quantile(all_baseline, 0.99),
        "p99_ratio_median_of_rounds": statistics.median(ratios),
    }


def main() -> None:
    """Start the stack, measure and print the figures."""
    with tempfile.TemporaryDirectory(prefix="tradedad-bench-") as folder:
        plan = prepare(
            data_dir=Path(folder), use_free_ports=True, overrides=_OVERRIDES, always_simulated=True
        )
        log = Path(folder) / "log"
        with log.open("wb") as output, Stack(plan, output) as stack:
            stack.wait_ready(60, lambda part: Console().print(f"  {part} is ready"))
            figures = asyncio.run(measure(plan))
            stack.check_alive()
    report_lines("auth", figures)


if __name__ == "__main__":
    main()
