"""Whole stacks, as a newcomer starts them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from embedded.daemons import ROOT
from embedded.plan import prepare
from embedded.stack import Stack
from tests.support.patience import PATIENCE_SECS, TEST_TIMEOUT_SECS
from tests.support.settings import process_environment

START_SECS: Final = 2 * PATIENCE_SECS
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@contextmanager
def ready_stack(folder: Path) -> Iterator[Stack]:
    """A stack that is ready, with patient settings."""
    settings = process_environment(has_outages=True) | {
        # All users of all tests have the same address.
        "TRADEDAD_AUTH_FREE_SIGNUPS": "1000",
        "TRADEDAD_AUTH_FREE_ADDRESS_ATTEMPTS": "1000",
        "TRADEDAD_AUTH_BCRYPT_COST": "10",
        # The page asks once, and waits for 8 s.
        "TRADEDAD_GATEWAY_QUESTION_TIMEOUT_SECS": "7",
        "TRADEDAD_GATEWAY_ORDER_TIMEOUT_SECS": "7",
        "TRADEDAD_TRADING_INSTRUMENTS_TIMEOUT_SECS": "6",
    }
    # The stack sets this itself: honcho kills processes that stop too slowly.
    del settings["TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS"]
    plan = prepare(
        data_dir=folder / "data", use_free_ports=True, always_simulated=True, overrides=settings
    )
    with (folder / "log").open("wb") as output, Stack(plan, output) as stack:
        stack.wait_ready(START_SECS)
        yield stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests of a module."""
    with ready_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack_command() -> Run:
    """Runs ``python -m embedded COMMAND`` with more variables, and waits for its end."""

    def run(command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        start = {"TRADEDAD_STACK_START_TIMEOUT_SECS": f"{START_SECS:g}"}
        return subprocess.run(
            [sys.executable, "-m", "embedded", command],
            cwd=ROOT,
            env=os.environ | start | environment,
            capture_output=True,
            text=True,
            timeout=TEST_TIMEOUT_SECS / 2,
            check=False,
        )

    return run
