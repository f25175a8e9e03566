"""Whole stacks, as a newcomer starts them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def stack_command() -> Run:
    """Runs ``python -m embedded COMMAND`` with more environment, and waits for its end."""

    def run(command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "embedded", command],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run
