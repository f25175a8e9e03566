"""The form of every benchmark: what is measured, a table for people, one line of JSON."""

import gc
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

_ROUNDS: Final = 5


@dataclass(frozen=True)
class Stage:
    """One row of a benchmark: a piece of work, and how many units it did."""

    name: str
    units: int
    cpu_secs: float

    @property
    def per_cpu_s(self) -> float:
        """Units per second of CPU time, of all threads of this process."""
        return self.units / self.cpu_secs


def measure(name: str, units: int, work: Callable[[], object]) -> Stage:
    """The best of some rounds: what the code can do when the machine leaves it alone."""
    best = float("inf")
    for _ in range(_ROUNDS):
        gc.collect()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return Stage(name, units, best)


def report(bench: str, unit: str, stages: list[Stage], figures: dict[str, float]) -> None:
    """Print the table, then one line of JSON for programs."""
    console = Console()
    cores = os.cpu_count() or 0
    table = Table(title=f"{bench}, on {cores} cores", title_justify="left")
    table.add_column("what")
    table.add_column(f"{unit} per CPU-second", justify="right")
    table.add_column(f"µs per {unit.removesuffix('s')}", justify="right")
    for stage in stages:
        table.add_row(stage.name, f"{stage.per_cpu_s:,.0f}", f"{1e6 / stage.per_cpu_s:.2f}")
    console.print(table)
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"bench": bench, "cores": cores, **rounded}))
