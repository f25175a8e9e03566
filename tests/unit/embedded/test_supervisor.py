"""The supervisor restarts a process unless its configuration is wrong or it keeps failing."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from embedded import supervisor as supervisor_module
from embedded.supervisor import Supervisor
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
    return subprocess.Popen(command, start_new_session=True)


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


def test_a_signal_to_the_group_reaches_the_process_once(tmp_path: Path) -> None:
    log = tmp_path / "signals"
    # The signal is blocked, so that none is missed between two calls.
    script = (
        "import signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "with open(sys.argv[1], 'w', buffering=1) as log:\n"
        "    print(signal.sigwait([signal.SIGTERM]).value, file=log)\n"
        "    if signal.sigtimedwait([signal.SIGTERM], 0.5) is not None:\n"
        "        print('again', file=log)\n"
    )
    supervisor = supervise(script, str(log))
    wait_until(log.exists, what="the process runs")
    os.killpg(supervisor.pid, signal.SIGTERM)
    assert supervisor.wait(PATIENCE_SECS) == exit_codes.OK
    assert log.read_text().split() == [str(signal.SIGTERM.value)]


def test_a_process_does_not_outlive_its_killed_supervisor(tmp_path: Path) -> None:
    log = tmp_path / "pid"
    script = (
        "import os, sys, signal\n"
        "print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True)\n"
        "signal.pause()"
    )
    supervisor = supervise(script, str(log))
    wait_until(lambda: log.exists() and log.read_text().strip(), what="the process runs")
    process = psutil.Process(int(log.read_text()))
    supervisor.kill()
    supervisor.wait(PATIENCE_SECS)
    _, alive = psutil.wait_procs([process], timeout=PATIENCE_SECS)
    assert alive == []


def test_a_process_that_has_run_for_long_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first run is long; then it fails more often than a new process may."""
    script = "import sys, pathlib; p = pathlib.Path(sys.argv[1]); p.open('a').write('x')"
    monkeypatch.setattr(supervisor_module, "_STABLE_SECS", 0.0)
    with TemporaryDirectory() as folder:
        log = Path(folder) / "starts"
        supervisor = Supervisor([sys.executable, "-c", f"{script}; sys.exit(3)", str(log)])
        starts = supervisor_module._MAX_QUICK_FAILURES + 2
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        wait_until(lambda: log.exists() and len(log.read_text()) >= starts, what="it is restarted")
        supervisor.stop(signal.SIGTERM, None)
        thread.join(PATIENCE_SECS)
        assert not thread.is_alive()


def test_a_wrong_configuration_is_not_tried_again() -> None:
    supervisor = supervise(f"import sys; sys.exit({exit_codes.CONFIG})")
    assert supervisor.wait(PATIENCE_SECS) == exit_codes.CONFIG


def test_a_process_that_always_fails_is_given_up() -> None:
    supervisor = supervise("import sys; sys.exit(3)")
    assert supervisor.wait(PATIENCE_SECS) == exit_codes.FAILED
