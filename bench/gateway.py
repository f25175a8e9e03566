"""The cost and latency of the gateway's fan-out, beside two other servers.

``make bench-gateway``. 500 clients subscribe to 200 of 2 000 keys each. The same load runs on the
gateway, on nats-server's WebSocket listener and on a plain loop over aiohttp's `send_str`. Further
series: clients that never read, 100 to 5 000 clients at the same deliveries a second, and idle
connections. Every part is a process of its own; only the CPU time of the measured server counts.
``python -m bench.gateway ours`` runs the first series of the gateway only.
"""

import asyncio
import json
import logging
import os
import sys
from typing import Final

import structlog
from rich.console import Console
from rich.table import Table

from bench.gateway_runs import CLIENTS, KEYS, KEYS_PER_CLIENT, Run, at_rates, idle_bytes
from bench.gateway_servers import nats_websocket, our_gateway, plain_send_str
from tests.support.issuer import TokenIssuer, serve_issuer

RATES: Final = (1_000, 10_000, 20_000)
STALL_RATE: Final = 10_000
STALLED_PERCENT: Final = (0, 1, 10, 50)
SCALE_CLIENTS: Final = (100, 500, 2_000, 5_000)
SCALE_DELIVERIES_PER_SEC: Final = 50_000
SCALE_ROUNDS: Final = 2
IDLE_CONNECTIONS: Final = 5_000


def show(title: str, runs: list[Run], console: Console) -> None:
    """Print a table of runs."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("clients", "quotes/s", "deliveries", "lost", "CPU s", "deliveries per CPU s"):
        table.add_column(name, justify="right")
    for name in ("p50 ms", "p99 ms", "max ms", "MB", "bus CPU s", "others"):
        table.add_column(name, justify="right")
    for run in runs:
        received = run.received
        table.add_row(
            run.server, f"{run.clients:,}", f"{run.rate:,}", f"{int(received['deliveries']):,}",
            f"{run.lost:,}", f"{run.cpu_secs:.2f}", f"{run.per_cpu_s:,.0f}",
            f"{received['p50_ms']:.1f}", f"{received['p99_ms']:.1f}", f"{received['max_ms']:.1f}",
            f"{received['bytes'] / 1e6:,.0f}", f"{run.bus_cpu_secs:.2f}",
            f"{run.other_cpu_secs:.2f}",
        )  # fmt: skip
    console.print(table)


async def stall_series(issuer: TokenIssuer) -> list[Run]:
    """The gateway while some clients never read."""
    runs = []
    for percent in STALLED_PERCENT:
        async with our_gateway(issuer) as server:
            stalled = CLIENTS * percent // 100
            runs += await at_rates(server, (STALL_RATE,), stalled=stalled)
    return runs


async def scale_series(issuer: TokenIssuer) -> list[Run]:
    """The gateway with more and more clients, at the same number of deliveries a second."""
    runs = []
    for count in SCALE_CLIENTS:
        rate = SCALE_DELIVERIES_PER_SEC * KEYS // (KEYS_PER_CLIENT * count)
        async with our_gateway(issuer) as server:
            runs += await at_rates(server, (rate,), count=count, rounds=SCALE_ROUNDS)
    return runs


def _rate_figures(ours: list[Run], nats: list[Run]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for run, peer in zip(ours, nats, strict=True):
        suffix = f"{run.rate // 1_000}k"
        figures |= {
            f"deliveries_per_cpu_s_{suffix}": run.per_cpu_s,
            f"vs_nats_ws_{suffix}": run.per_cpu_s / peer.per_cpu_s,
            f"p50_ms_{suffix}": run.received["p50_ms"],
            f"p99_ms_{suffix}": run.received["p99_ms"],
            f"nats_ws_p50_ms_{suffix}": peer.received["p50_ms"],
            f"nats_ws_p99_ms_{suffix}": peer.received["p99_ms"],
            f"cpu_s_{suffix}": run.cpu_secs,
            f"nats_ws_cpu_s_{suffix}": peer.cpu_secs,
        }
    return figures


async def run_all(only: str) -> None:
    """Run the series and print their tables; then one line of JSON with all figures."""
    console = Console(width=160)
    async with serve_issuer() as issuer:
        async with our_gateway(issuer) as server:
            ours = await at_rates(server, RATES)
        show("the gateway", ours, console)
        if only == "ours":
            return
        async with nats_websocket() as server:
            nats = await at_rates(server, RATES)
        async with plain_send_str() as server:
            (plain,) = await at_rates(server, (10_000,))
        show("500 clients with 200 of 2 000 keys each", [*ours, *nats, plain], console)
        stalls = await stall_series(issuer)
        show("10 000 quotes/s while 0, 1, 10 and 50 % of the clients never read", stalls, console)
        scale = await scale_series(issuer)
        show("50 000 deliveries/s to more and more clients", scale, console)
        async with our_gateway(issuer) as server:
            idle = await idle_bytes(server, IDLE_CONNECTIONS)
        console.print(f"{IDLE_CONNECTIONS} idle authenticated connections: {idle:,.0f} bytes each")
    healthy, *with_stalled = stalls
    cost = {run.clients: 1 / run.per_cpu_s for run in scale}
    figures = _rate_figures(ours, nats) | {
        "vs_send_str_10k": ours[1].per_cpu_s / plain.per_cpu_s,
        "stall_lost": sum(run.lost for run in with_stalled),
        "stall_p99_ratio": max(run.received["p99_ms"] for run in with_stalled)
        / healthy.received["p99_ms"],
        "scale_cost_ratio": cost[5_000] / cost[500],
        "idle_bytes_per_conn": idle,
    }
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"bench": "gateway", "cores": os.cpu_count() or 0, **rounded}))


def main() -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(run_all(sys.argv[1] if len(sys.argv) > 1 else ""))


if __name__ == "__main__":
    main()
