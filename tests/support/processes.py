"""Programs that tests start, signal and stop: services, daemons and commands."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import aiohttp
import psutil

from embedded.daemons import ROOT
from embedded.ports import HOST, free_ports
from tests.support.patience import PATIENCE_SECS
from tests.support.settings import process_environment
from tests.support.waiting import eventually, wait_until

_STOP_SECS: Final = 10.0
_SHOWN_LOG_CHARS: Final = 8_000


class ChildProcess:
    """A program that can be started again and again; its log is kept over all starts."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        cwd: Path = ROOT,
    ) -> None:
        self.name = name
        self.starts = 0
        self._command = command
        self.environment = dict(environment)
        """Used at the next start."""
        self._cwd = cwd
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; a subclass may wait here until it accepts connections."""
        self.starts += 1
        self._popen = subprocess.Popen(
            self._command, cwd=self._cwd, env=self.environment, stdout=self._log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Of the running process."""
        return self._started().pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def rss_bytes(self) -> int:
        """The memory that it holds."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def _started(self) -> "subprocess.Popen[bytes]":
        assert self._popen is not None, f"{self.name} was not started"
        return self._popen

    def send_signal(self, number: signal.Signals) -> None:
        """Send any signal."""
        self._started().send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def pause(self) -> None:
        """SIGSTOP: its sockets stay open, and it does nothing."""
        self.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.send_signal(signal.SIGCONT)

    def wait_exit(self) -> int:
        """Its exit code, once it has ended by itself. Blocks."""
        return self._started().wait(PATIENCE_SECS)

    async def exited(self) -> int:
        """The same without blocking the event loop."""
        return await asyncio.to_thread(self.wait_exit)

    def log(self) -> str:
        """All that it has written so far."""
        # Not by seeking: the process writes where the file stands.
        size_bytes = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size_bytes, 0).decode(errors="replace")

    def log_entries(self, event: str | None = None) -> list[dict[str, Any]]:
        """The JSON lines of its log, or those about one event."""
        # A process that was killed may have left half a line.
        lines = (line for line in self.log().splitlines() if line.startswith("{"))
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith("}")]
        return [entry for entry in entries if event is None or entry.get("event") == event]

    def wait_for_entry(self, event: str, **fields: str) -> dict[str, Any]:
        """The first line of its log about an event, with these fields. Blocks."""

        def look() -> dict[str, Any] | None:
            has_ended = not self.is_running
            for entry in self.log_entries(event):
                if fields.items() <= entry.items():
                    return entry
            assert not has_ended, f"{self.name} ended without {event!r}: {self.log()}"
            return None

        entry = wait_until(look, what=f"{self.name} logs {event!r}")
        assert entry is not None
        return entry

    def stop(self) -> None:
        """End it in order, or kill it if that takes long, whatever state it is in."""
        if self.is_running:
            self.resume()
            self.send_signal(signal.SIGTERM)
            try:
                self._started().wait(_STOP_SECS)
            except subprocess.TimeoutExpired:
                self.kill()

    def close(self) -> None:
        """Stop it, and print the end of its log for the report of a failed test."""
        self.stop()
        print(f"--- {self.name}\n{self.log()[-_SHOWN_LOG_CHARS:]}")
        self._log.close()


class ServiceProcess(ChildProcess):
    """``python -m services.<name>`` with an operations port."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        (ops_port,) = free_ports(1)
        self.ops_url = f"http://{HOST}:{ops_port}"
        inherited = os.environ | process_environment()
        ops = {f"TRADEDAD_{name.upper()}_OPS_PORT": str(ops_port)}
        command = [sys.executable, "-m", f"services.{name}"]
        super().__init__(name, command, inherited | ops | dict(environment))

    async def is_ready(self) -> bool:
        """Whether /readyz answers 200. Fails if the process has ended."""
        assert self.is_running, f"{self.name} has ended: {self.log()[-_SHOWN_LOG_CHARS:]}"
        return await self.readyz_status() == 200

    async def readyz_status(self) -> int | None:
        """The status of /readyz; None if nothing answers."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.get(f"{self.ops_url}/readyz") as response,
            ):
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def wait_ready(self) -> None:
        """Wait until it is ready."""
        await eventually(self.is_ready, what=f"{self.name} is ready")


@contextmanager
def child_process(process: ChildProcess) -> Iterator[None]:
    """Starts a program, and closes it at the end of the block."""
    try:
        process.start()
        yield
    finally:
        process.close()


@asynccontextmanager
async def service_process(
    name: str, environment: Mapping[str, str]
) -> AsyncIterator[ServiceProcess]:
    """A service in a process of its own, once it is ready."""
    service = ServiceProcess(name, environment)
    try:
        service.start()
        await service.wait_ready()
        yield service
    finally:
        await asyncio.to_thread(service.close)
