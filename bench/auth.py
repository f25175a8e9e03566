"""A gateway's latency while auth is flooded with logins, beside its latency in peace.

``make bench-auth``. The whole stack of ``make run``, each part a process; this one is twenty
clients, and measures from ingest's receipt of a frame to a client's receipt of the quote.
Peace and flood take turns, so that a busy moment of the machine strikes both alike.
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
_RECEIVED: Final = re.compile(r'"rt":(\d+)')


class Ears:
    """The latency of every quote that any client has received."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT and '"rt":' in message.data:
                now_us = time.time() * 1e6
                received = _RECEIVED.findall(message.data)
                self.latencies_ms += [(now_us - int(at)) / 1e3 for at in received]

    async def during(self, secs: float) -> list[float]:
        """The latencies of the next `secs` seconds, in ms, sorted."""
        await asyncio.sleep(SETTLE_SECS)
        self.latencies_ms = []
        await asyncio.sleep(secs)
        return sorted(self.latencies_ms)


def quantile(ordered: list[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


async def measure(plan: Plan) -> dict[str, float]:
    """The figures, from a stack that is ready."""
    ears = Ears()
    auth_url = plan.url("TRADEDAD_AUTH_PORT")
    peace: list[list[float]] = []
    flood: list[list[float]] = []
    answers: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        tokens = [await _token(http, auth_url) for _ in range(ACCOUNTS)]
        listeners = [
            asyncio.create_task(ears.listen(await _subscribed(stack, http, plan, token)))
            for token in tokens
            for _ in range(STREAMS_PER_ACCOUNT)
        ]
        for _ in range(ROUNDS):
            peace.append(await ears.during(ROUND_SECS))
            flooder = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.login_flood", auth_url, str(LOGINS_PER_SEC)),
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            flood.append(await ears.during(ROUND_SECS))
            flooder.terminate()
            output, _ = await flooder.communicate()
            answers.update(json.loads(output))
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    return _figures(peace, flood, answers)


async def _token(http: aiohttp.ClientSession, auth_url: str) -> str:
    """An access token of a new user."""
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
    keys = [one.key for one in INSTRUMENTS]
    await socket.send_json({"op": "subscribe", "id": 1, "channel": "quotes", "keys": keys})
    return socket


def _figures(
    peace: list[list[float]], flood: list[list[float]], answers: Counter[str]
) -> dict[str, float]:
    ratios = [
        quantile(flooded, 0.99) / quantile(quiet, 0.99)
        for quiet, flooded in zip(peace, flood, strict=True)
    ]
    all_quiet = sorted(value for latencies in peace for value in latencies)
    all_flooded = sorted(value for latencies in flood for value in latencies)
    return {
        "deliveries": len(all_quiet) + len(all_flooded),
        "logins_refused": answers["401"],
        "logins_told_to_come_back": answers["503"] + answers["429"],
        "p50_ms_in_peace": quantile(all_quiet, 0.5),
        "p50_ms_in_flood": quantile(all_flooded, 0.5),
        "p99_ms_in_peace": quantile(all_quiet, 0.99),
        "p99_ms_in_flood": quantile(all_flooded, 0.99),
        "p99_ratio": quantile(all_flooded, 0.99) / quantile(all_quiet, 0.99),
        "p99_ratio_median_of_rounds": statistics.median(ratios),
    }


def main() -> None:
    """Measure and print."""
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
