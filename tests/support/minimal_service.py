"""A service that only starts, runs, fails or hangs, as its mode says.

Tests run it as a process to see how any service starts and stops.
"""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.errors import BusClosed, ConfigError
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.service import Component, run
from shared.runtime.setting_types import Port
from shared.runtime.settings import ServiceSettings
from shared.runtime.site import serve

log = get_logger(__name__)


class Mode(StrEnum):
    """What the service does."""

    RUNS = "runs"
    FAILS = "fails"
    FAILS_AND_HANGS = "fails_and_hangs"
    RETURNS = "returns"
    LOSES_BUS = "loses_bus"
    CANNOT_START = "cannot_start"
    WAITS_TO_START = "waits_to_start"
    TAKES_OWN_PORT = "takes_own_port"
    HANGS = "hangs"
    HANGS_IN_THREAD = "hangs_in_thread"


class MinimalSettings(ServiceSettings):
    """Settings of the minimal service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_MINIMAL_")

    ops_port: Port = 0
    mode: Mode = Mode.RUNS
    pepper: Annotated[SecretStr, Field(max_length=32)] = SecretStr("")


class _Component:
    """A component that runs one coroutine function."""

    def __init__(self, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._what = what

    async def run(self) -> None:
        await self._what()


async def _runs() -> None:
    log.info("component running", objects_never_collected=gc.get_freeze_count())
    try:
        await asyncio.Event().wait()
    finally:
        log.info("component stopped")


async def _fails() -> None:
    raise ZeroDivisionError("on purpose")


async def _returns() -> None:
    return


async def _loses_bus() -> None:
    raise BusClosed("on purpose")


async def _hangs() -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.info("not stopping")


async def _hangs_in_thread() -> None:
    await asyncio.to_thread(time.sleep, 60)


_COMPONENTS: dict[Mode, list[Callable[[], Coroutine[Any, Any, None]]]] = {
    Mode.FAILS: [_runs, _fails],
    Mode.FAILS_AND_HANGS: [_hangs, _fails],
    Mode.RETURNS: [_runs, _returns],
    Mode.LOSES_BUS: [_runs, _loses_bus],
    Mode.HANGS: [_hangs],
    Mode.HANGS_IN_THREAD: [_hangs_in_thread],
}


@asynccontextmanager
async def build(
    settings: MinimalSettings, readiness: Readiness
) -> AsyncIterator[Sequence[Component]]:
    """Log when the outermost resource is opened and closed."""
    log.info("outer opened")
    try:
        if settings.mode is Mode.CANNOT_START:
            raise ConfigError(["the minimal service cannot start"])
        if settings.mode is Mode.WAITS_TO_START:
            readiness.down("database", "no answer")
            await asyncio.Event().wait()
        if settings.mode is Mode.TAKES_OWN_PORT:
            async with serve_twice():
                pass
        yield [_Component(what) for what in _COMPONENTS.get(settings.mode, [_runs])]
    finally:
        log.info("outer closed")


@asynccontextmanager
async def serve_twice() -> AsyncIterator[None]:
    """Listen on one port twice, which fails."""
    async with (
        serve(web.Application(), "127.0.0.1", 0) as port,
        serve(web.Application(), "127.0.0.1", port),
    ):
        yield


if __name__ == "__main__":
    sys.exit(run("minimal", build, MinimalSettings))
