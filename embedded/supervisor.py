"""Keeps one process running, as Kubernetes would: ``python -m embedded.supervisor COMMAND...``.

A process that ends by itself is started again after a pause that grows; one that says its
configuration is wrong, or that fails again and again at once, ends the stack instead.
Imports little: there is one of these for every process.
"""

import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import Final

from shared.runtime import exit_codes
from shared.runtime.backoff import Backoff

_SETTLED_SECS: Final = 10.0
_MOST_QUICK_FAILURES: Final = 5


class Supervisor:
    """Starts a command again whenever it ends, until told to stop."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._name = command[-1]
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """A signal handler: pass the stop on, and start nothing any more."""
        self._stopping.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def run(self) -> int:
        """Returns the exit code that the stack should see."""
        backoff = Backoff(base_secs=0.5, cap_secs=5.0)
        while not self._stopping.is_set():
            started = time.monotonic()
            self._child = subprocess.Popen(self._command)
            code = self._child.wait()
            if self._stopping.is_set():
                break
            if code == exit_codes.CONFIG:
                return code
            if time.monotonic() - started > _SETTLED_SECS:
                backoff.reset()
            if backoff.attempt >= _MOST_QUICK_FAILURES:
                print(f"{self._name} failed {backoff.attempt + 1} times in a row", flush=True)
                return exit_codes.FAILED
            print(f"{self._name} ended with {code}; starting it again", flush=True)
            self._stopping.wait(backoff.next_secs())
        return exit_codes.OK


def main() -> int:
    """Keep the command that follows on the command line."""
    if len(sys.argv) < 2:
        print("usage: python -m embedded.supervisor COMMAND...", file=sys.stderr)
        return exit_codes.CONFIG
    supervisor = Supervisor(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.stop)
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
