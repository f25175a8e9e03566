"""The supervisor restarts a process unless its configuration is wrong or it keeps failing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from shared.runtime import exit_codes


def supervise(script: str, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable,
        "-m",
        "embedded.supervisor",
        sys.executable,
        "-c",
        script,
        *arguments,
    ]
    return subprocess.Popen(command)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_process_is_restarted_and_a_stop_is_forwarded(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    script = (
        "import os, sys, signal\n"
        "print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True)\n"
        "signal.pause()"
    )
    supervisor = supervise(script, str(log))

    def pids() -> list[int]:
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    wait_until(lambda: len(pids()) == 1)
    os.kill(pids()[0], signal.SIGKILL)
    wait_until(lambda: len(pids()) == 2)
    supervisor.terminate()
    assert supervisor.wait(10) == exit_codes.OK
    assert not Path(f"/proc/{pids()[1]}").exists()


def test_a_process_with_a_wrong_configuration_is_not_restarted() -> None:
    supervisor = supervise(f"import sys; sys.exit({exit_codes.CONFIG})")
    assert supervisor.wait(10) == exit_codes.CONFIG


def test_a_process_that_keeps_failing_ends_the_stack() -> None:
    supervisor = supervise("import sys; sys.exit(3)")
    assert supervisor.wait(40) == exit_codes.FAILED
