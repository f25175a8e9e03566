"""Restarts a process when it ends: ``python -m embedded.supervisor COMMAND...``.

It does for `make run` what Kubernetes does in production. The pause before a restart grows. A
process that exits with CONFIG, or that fails several times in a row and has never run for long, ends
the stack instead. One that has run for long is always restarted: what it needs, such as space on the
disk, may come back. The module imports little, because there is one supervisor per process.
"""

import ctypes
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import Final

from shared.runtime import exit_codes
from shared.runtime.backoff import Backoff

_STABLE_SECS: Final = 10.0
_MAX_QUICK_FAILURES: Final = 5
_PR_SET_PDEATHSIG: Final = 1


def _kill_with_parent() -> None:
    """Make Linux kill this process if its supervisor is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Supervisor:
    """Restarts a command whenever it ends, until a stop is requested."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._name = command[-1]
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def started(self, child: "subprocess.Popen[bytes]") -> None:
        """Called after each start; a subclass may watch the process."""

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Signal handler: terminate the process and do not restart it."""
        self._stopping.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def run(self) -> int:
        """Run the command; return the exit code for the stack."""
        backoff = Backoff(base_secs=0.5, cap_secs=5.0)
        was_stable = False
        while not self._stopping.is_set():
            started = time.monotonic()
            # honcho signals the supervisor's process group. In a group of its own, the process
            # receives one signal, from the supervisor: a second one would make it exit at once.
            self._child = subprocess.Popen(
                self._command, process_group=0, preexec_fn=_kill_with_parent
            )
            self.started(self._child)
            code = self._child.wait()
            if self._stopping.is_set():
                break
            if code == exit_codes.CONFIG:
                return code
            if time.monotonic() - started > _STABLE_SECS:
                backoff.reset()
                was_stable = True
            if not was_stable and backoff.attempt >= _MAX_QUICK_FAILURES:
                print(f"{self._name} failed {backoff.attempt + 1} times in a row", flush=True)
                return exit_codes.FAILED
            print(f"{self._name} exited with code {code}; restarting", flush=True)
            self._stopping.wait(backoff.next_secs())
        return exit_codes.OK


def main() -> int:
    """Supervise the command given as arguments."""
    if len(sys.argv) < 2:
        print("usage: python -m embedded.supervisor COMMAND...", file=sys.stderr)
        return exit_codes.CONFIG
    return supervise(Supervisor(sys.argv[1:]))


def supervise(supervisor: Supervisor) -> int:
    """Run `supervisor` until its process ends for good, or a signal stops both."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.stop)
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
