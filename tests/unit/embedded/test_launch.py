"""The start of mongod waits for disk space."""

import os
import subprocess
import sys
from pathlib import Path

from embedded.daemons import ROOT

MANY_BYTES = 1 << 50


def test_mongod_is_not_started_while_the_disk_is_full(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "TRADEDAD_STACK_DATA_DIR": str(tmp_path),
        "TRADEDAD_STACK_MONGOD": "/bin/true",
        "TRADEDAD_RUNTIME_DISK_CRITICAL_BYTES": str(MANY_BYTES),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "embedded.launch", "mongo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "mongod waits" in process.stdout.readline()
        assert process.poll() is None
        process.terminate()


def test_mongod_is_started_once_there_is_space(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "TRADEDAD_STACK_DATA_DIR": str(tmp_path),
        "TRADEDAD_STACK_MONGOD": "/bin/true",
        "TRADEDAD_RUNTIME_DISK_CRITICAL_BYTES": "1",
    }
    command = [sys.executable, "-m", "embedded.launch", "mongo"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
