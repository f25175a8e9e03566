"""Services as processes of their own, which can be killed, stopped and continued."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import IO

import aiohttp

from embedded.daemons import ROOT
from embedded.ports import HOST, free_ports
from tests.support.waiting import eventually


class ServiceProcess:
    """One running service."""

    def __init__(
        self, name: str, process: "subprocess.Popen[bytes]", ops_url: str, log: IO[bytes]
    ) -> None:
        self.name = name
        self.ops_url = ops_url
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def logged(self) -> str:
        """Its log so far; where it writes next is not touched."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """SIGKILL, SIGSTOP, SIGCONT, SIGTERM."""
        self._process.send_signal(number)

    async def ready(self) -> bool:
        """For `eventually`: it has started and waits for nothing."""
        assert self._process.poll() is None, f"{self.name} ended with {self._process.returncode}"
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.get(f"{self.ops_url}/readyz") as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def ended(self, timeout_secs: float = 20) -> int:
        """Its exit code, once it has ended by itself."""
        return await asyncio.to_thread(self._process.wait, timeout_secs)

    def end(self) -> None:
        """Whatever state it is in."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


@asynccontextmanager
async def service_process(
    name: str, environment: Mapping[str, str], *, wait: bool = True
) -> AsyncIterator[ServiceProcess]:
    """``python -m services.<name>``; yields once it is ready, and kills it in the end."""
    (ops_port,) = free_ports(1)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"services.{name}"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "TRADEDAD_LOG_FORMAT": "json",
                f"TRADEDAD_{name.upper()}_OPS_PORT": str(ops_port),
                **environment,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        service = ServiceProcess(name, process, f"http://{HOST}:{ops_port}", log)
        try:
            if wait:
                await eventually(service.ready, what=f"{name} is ready", timeout_secs=30)
            yield service
        except BaseException:
            print(service.logged()[-8_000:])
            raise
        finally:
            service.end()
