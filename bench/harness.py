"""Measuring and reporting for all benchmarks: CPU time, a table, and one line of JSON."""

import gc
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

_ROUNDS: Final = 9

Workload = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Stage:
    """One row of a benchmark: a workload, its number of units and its CPU time."""

    name: str
    units: int
    cpu_secs: float

    @property
    def per_cpu_s(self) -> float:
        """Units per second of CPU time of all threads of this process."""
        return self.units / self.cpu_secs


async def measure(units: int, workloads: Mapping[str, Workload]) -> list[Stage]:
    """Run each workload nine times and return its best round, which other load disturbed least.

    The workloads take turns within a round, so that a busy moment of the machine affects all.
    """
    best = dict.fromkeys(workloads, float("inf"))
    for _ in range(_ROUNDS):
        for name, workload in workloads.items():
            gc.collect()
            started = time.process_time()
            await workload()
            best[name] = min(best[name], time.process_time() - started)
    return [Stage(name, units, cpu_secs) for name, cpu_secs in best.items()]


def report(bench: str, unit: str, stages: list[Stage], figures: dict[str, float]) -> None:
    """Print a table of stages, then one line of JSON."""
    console = Console()
    table = Table(title=f"{bench}, on {os.cpu_count()} cores", title_justify="left")
    table.add_column("stage")
    table.add_column(f"{unit} per CPU-second", justify="right")
    table.add_column(f"µs per {unit.removesuffix('s')}", justify="right")
    for stage in stages:
        table.add_row(stage.name, f"{stage.per_cpu_s:,.0f}", f"{1e6 / stage.per_cpu_s:.2f}")
    console.print(table)
    _print_json(bench, figures)


def report_lines(bench: str, figures: dict[str, float]) -> None:
    """Print a table of figures, then one line of JSON."""
    table = Table(title=f"{bench}, on {os.cpu_count()} cores", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,.3f}".rstrip("0").rstrip("."))
    Console().print(table)
    _print_json(bench, figures)


def _print_json(bench: str, figures: dict[str, float]) -> None:
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"bench": bench, "cores": os.cpu_count(), **rounded}))
