"""A running stack: honcho and its processes, from start to stop."""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from embedded import daemons
from embedded.folder_lock import FolderLock
from embedded.plan import Plan
from shared.errors import TradeDadError

_STOP_SECS: Final = 12.0
_POLL_SECS: Final = 0.1
_PR_SET_PDEATHSIG: Final = 1
# Without the proxies that the environment may name: they are not for this machine's own addresses.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

OnReady = Callable[[str], None]


class StackFailedError(TradeDadError):
    """The stack did not become ready, or has ended; the message names the service."""


def _terminate_with_parent() -> None:
    """Make Linux terminate honcho, and with it the stack, if this process is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Stack:
    """Starts the stack on entering, and stops all its processes on leaving.

    The processes log to `output`; None is this process's own output.
    """

    def __init__(self, plan: Plan, output: IO[bytes] | None = None) -> None:
        self.plan = plan
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = FolderLock(plan.data_dir)

    def __enter__(self) -> Self:
        self._lock.acquire()
        procfile = str(daemons.ROOT / "Procfile")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "honcho", "-f", procfile, "-d", str(daemons.ROOT),
             "-e", os.devnull, "start"],
            env=self.plan.environment,
            cwd=daemons.ROOT,
            stdout=self._output,
            stderr=subprocess.STDOUT if self._output else None,
            start_new_session=True,
            pass_fds=[self._lock.descriptor],
            preexec_fn=_terminate_with_parent,
        )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self._stop()
        finally:
            self._lock.release()

    def _stop(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def wait_ready(self, timeout_secs: float, on_ready: OnReady = lambda _: None) -> None:
        """Wait until every service is ready; call `on_ready` once with the name of each.

        Raises StackFailedError with the services that are not ready in time.
        """
        deadline = time.monotonic() + timeout_secs
        self._wait_for_mongod(timeout_secs)
        on_ready("mongo")
        waiting = dict(self.plan.ops_urls)
        answers: dict[str, str] = {}
        while waiting:
            self.check_alive()
            if time.monotonic() > deadline:
                missing = ", ".join(f"{name} ({answers.get(name)})" for name in waiting)
                raise StackFailedError(f"not ready after {timeout_secs:.0f} s: {missing}")
            for name, url in list(waiting.items()):
                answers[name] = readiness(url)
                if answers[name] == "ready":
                    del waiting[name]
                    on_ready(name)
            time.sleep(_POLL_SECS)

    def _wait_for_mongod(self, timeout_secs: float) -> None:
        port = self.plan.ports["TRADEDAD_STACK_MONGO_PORT"]
        try:
            daemons.make_replica_set(port, timeout_secs=timeout_secs, check=self.check_alive)
        except TimeoutError as error:
            raise StackFailedError(str(error)) from None

    def check_alive(self) -> None:
        """Raise StackFailedError if the stack has ended."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise StackFailedError(f"the stack ended with exit code {code}")

    def wait(self) -> int:
        """Wait until the stack ends by itself; return its exit code."""
        assert self._process is not None
        return self._process.wait()


def readiness(ops_url: str) -> str:
    """Return ``ready``, or why a service is not ready."""
    try:
        with _OPENER.open(f"{ops_url}/readyz", timeout=2) as response:
            return "ready" if response.status == 200 else str(response.status)
    except urllib.error.HTTPError as error:
        return error.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return f"does not answer: {error}"


def log_tail(path: Path, lines: int = 40) -> str:
    """Return the last lines of a log file."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
