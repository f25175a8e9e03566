"""The supervisor restarts a process unless its configuration is wrong or it keeps failing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from shared.runtime import exit_codes
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import wait_until


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


def test_a_killed_process_is_started_again_and_a_stop_is_passed_on(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    script = (
        "import os, sys, signal\n"
        "print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True)\n"
        "signal.pause()"
    )
    supervisor = supervise(script, str(log))

    def pids() -> list[int]:
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    wait_until(lambda: len(pids()) == 1, what="the process runs")
    os.kill(pids()[0], signal.SIGKILL)
    wait_until(lambda: len(pids()) == 2, what="the process runs again")
    supervisor.terminate()
    assert supervisor.wait(PATIENCE_SECS) == exit_codes.OK
    assert not Path(f"/proc/{pids()[1]}").exists()


def test_a_wrong_configuration_is_not_tried_again() -> None:
    supervisor = supervise(f"import sys; sys.exit({exit_codes.CONFIG})")
    assert supervisor.wait(PATIENCE_SECS) == exit_codes.CONFIG


def test_a_process_that_always_fails_is_given_up() -> None:
    supervisor = supervise("import sys; sys.exit(3)")
    assert supervisor.wait(PATIENCE_SECS) == exit_codes.FAILED
