"""Supervises nats-server: restarts one that hangs, and keeps a reserve of disk space for it.

nats-server 2.9 hangs when it cannot write to its disk, and does not recover. Its /jsz then does not
answer, although /healthz does. The reserve is a file that is deleted when no space is left, so that
nats-server can start again and store leases, while ingest stores no market data. It is kept until
then: a program that is still filling the disk would take it.
"""

import os
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Final

from embedded.supervisor import Supervisor, supervise
from shared.runtime.backoff import Backoff
from shared.runtime.disk_space import free_space

_EVERY_SECS: Final = 1.0
_MAX_PAUSE_SECS: Final = 60.0
"""The longest pause before a watch that keeps failing is started again."""
_PROBE_TIMEOUT_SECS: Final = 4.0
_MAX_FAILURES: Final = 3
_START_SECS: Final = 120.0
"""Longer than nats-server takes to restore its streams."""
_RESERVE_BYTES: Final = 32 << 20
_EMPTY_BYTES: Final = 1 << 20
"""nats-server cannot go on for long with less."""
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NatsSupervisor(Supervisor):
    """Restarts nats-server when it ends, and ends it when it hangs."""

    def __init__(self, command: list[str], url: str, reserve: "DiskReserve") -> None:
        super().__init__(command)
        self._url = url
        self._reserve = reserve

    def started(self, child: "subprocess.Popen[bytes]") -> None:
        self._reserve.release()
        threading.Thread(target=self._keep_watching, args=(child,), daemon=True).start()

    def _keep_watching(self, child: "subprocess.Popen[bytes]") -> None:
        """Watch `child` until it ends. A watch that fails is started again."""
        backoff = Backoff(base_secs=_EVERY_SECS, cap_secs=_MAX_PAUSE_SECS)
        while child.poll() is None:
            try:
                self._watch(child)
            except Exception as error:  # noqa: BLE001 - without a watch, a hang goes unnoticed
                cause = f"{type(error).__name__}: {error}"
                print(f"the watch of nats-server failed and starts again: {cause}", flush=True)
                traceback.print_exc()
                time.sleep(backoff.next_secs())
            else:
                return

    def _watch(self, child: "subprocess.Popen[bytes]") -> None:
        """Kill `child` if it no longer answers, or does not begin to within the time to start."""
        failures = 0
        has_answered = False
        deadline = time.monotonic() + _START_SECS
        while child.poll() is None:
            self._reserve.adjust()
            if self._answers():
                failures, has_answered = 0, True
            elif has_answered or time.monotonic() > deadline:
                failures += 1
            if failures >= _MAX_FAILURES:
                print(
                    f"nats-server hangs: no answer to {failures} requests; killing it", flush=True
                )
                self._reserve.release()
                child.kill()
                return
            time.sleep(_EVERY_SECS)

    def _answers(self) -> bool:
        try:
            with _OPENER.open(self._url, timeout=_PROBE_TIMEOUT_SECS) as response:
                return bool(response.status == 200)
        except (OSError, HTTPException):
            return False


class DiskReserve:
    """A file that occupies space while there is enough, and is deleted when there is not."""

    def __init__(self, path: Path, critical_bytes: int) -> None:
        self._path = path
        self._critical_bytes = critical_bytes
        self._was_empty = False
        """Whether the disk had no space left at the last look."""

    def adjust(self) -> None:
        """Delete the file if no space was left twice in a row; create it if there is enough.

        A failure changes nothing.
        """
        try:
            free_bytes = free_space(self._path.parent)
            is_empty = free_bytes < _EMPTY_BYTES
            if is_empty and self._was_empty:
                self._release(free_bytes)
            elif free_bytes > 2 * self._critical_bytes + _RESERVE_BYTES:
                self._create()
            self._was_empty = is_empty
        except OSError as error:
            print(f"disk reserve: {error}", flush=True)

    def release(self) -> None:
        """Delete the file if the disk is full, so that a nats-server that starts has space.

        A failure changes nothing.
        """
        try:
            free_bytes = free_space(self._path.parent)
            if free_bytes < self._critical_bytes:
                self._release(free_bytes)
        except OSError as error:
            print(f"disk reserve: {error}", flush=True)

    def _release(self, free_bytes: int) -> None:
        if self._path.exists():
            self._path.unlink()
            print(f"disk is full: {free_bytes} bytes are free; reserve released", flush=True)

    def _create(self) -> None:
        if self._path.exists():
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _RESERVE_BYTES)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(descriptor)


def main() -> int:
    """Supervise nats-server with the stack's settings, which `embedded.plan` has checked."""
    command = [sys.executable, "-m", "embedded.launch", "nats"]
    url = f"http://127.0.0.1:{os.environ['TRADEDAD_STACK_NATS_MONITOR_PORT']}/jsz"
    reserve = DiskReserve(
        Path(os.environ["TRADEDAD_STACK_DATA_DIR"]) / "nats.reserve",
        int(os.environ["TRADEDAD_RUNTIME_DISK_CRITICAL_BYTES"]),
    )
    return supervise(NatsSupervisor(command, url, reserve))


if __name__ == "__main__":
    sys.exit(main())
