"""Runs one service: settings, logs, signals, its components, and an honest exit code."""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, Protocol, TypeVar

import uvloop

from shared.errors import BusClosed, ConfigError
from shared.runtime import exit_codes, logs
from shared.runtime.health import Readiness, ops_site
from shared.runtime.settings import ServiceSettings, load
from shared.runtime.tasks import run_together, stop

log = logs.get_logger(__name__)

# How many are made before the collector looks through them; Python's 700 are less than one answer.
_YOUNG_OBJECTS: Final = 20_000


class Component(Protocol):
    """Something that runs until it is cancelled."""

    async def run(self) -> None:
        """Returns only by cancellation or by raising."""
        ...


C = TypeVar("C", bound=ServiceSettings)
Build = Callable[[C, Readiness], AbstractAsyncContextManager[Sequence[Component]]]


class _Together:
    """A component that stands for tasks that are owned elsewhere, and ends with the first of them."""

    def __init__(self, tasks: "Sequence[asyncio.Task[None]]") -> None:
        self._tasks = tasks

    async def run(self) -> None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


@asynccontextmanager
async def lasting(*components: Component) -> AsyncIterator[Component]:
    """Runs `components` until the end of the block, however early the component that it yields is cancelled.

    For what others need while they are being closed.
    """
    tasks = [
        asyncio.create_task(component.run(), name=type(component).__name__)
        for component in components
    ]
    try:
        yield _Together(tasks)
    finally:
        await stop(tasks)


class ComponentEnded(RuntimeError):
    """A component returned by itself, which none should."""


def run(name: str, build: Build[C], settings_type: type[C]) -> int:
    """Run a service until SIGTERM or SIGINT; returns the process's exit code.

    `build` opens what the service needs and yields its components. They run together: one
    that fails stops the others, and everything opened is closed in reverse order.
    """
    try:
        settings = load(settings_type)
    except ConfigError as error:
        for problem in error.problems:
            print(f"{name}: {problem}", file=sys.stderr)
        return exit_codes.CONFIG
    logs.configure(settings.log, name)
    allow_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_supervise(name, build, settings))


async def _supervise(name: str, build: Build[C], settings: C) -> int:
    loop = asyncio.get_running_loop()
    service = asyncio.create_task(_serve(name, build, settings), name=name)
    stopping = False

    def stop(signal_name: str) -> None:
        nonlocal stopping
        if stopping:
            log.warning("second signal, leaving at once", signal=signal_name)
            os._exit(exit_codes.FAILED)
        stopping = True
        log.info("stopping", signal=signal_name)
        service.cancel()
        loop.call_later(settings.runtime.shutdown_deadline_secs, _cut_short)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    try:
        await asyncio.wait([service])
    finally:
        service.cancel()
    return _exit_code(service, asked_to_stop=stopping)


def _cut_short() -> None:
    log.error("shutdown deadline passed, leaving at once")
    os._exit(exit_codes.FAILED)


def _exit_code(service: "asyncio.Task[None]", *, asked_to_stop: bool) -> int:
    if service.cancelled():
        log.info("stopped")
        return exit_codes.OK if asked_to_stop else exit_codes.FAILED
    error = service.exception()
    if error is None:
        return exit_codes.OK if asked_to_stop else exit_codes.FAILED
    code = exit_codes.FAILED
    for leaf in _leaves(error):
        match leaf:
            case ConfigError(problems=problems):
                code = exit_codes.CONFIG
                log.error("cannot start", problems=problems)
            case BusClosed():
                code = exit_codes.TRY_AGAIN
                log.error("bus closed", error=str(leaf))
            case _:
                log.error("failed", error=repr(leaf), exc_info=leaf)
    return code


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


async def _serve(name: str, build: Build[C], settings: C) -> None:
    readiness = Readiness(name)
    readiness.down("start", "starting")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            ops_site(readiness, settings.runtime.ops_host, settings.ops_port)
        )
        components = await stack.enter_async_context(build(settings, readiness))
        readiness.up("start")
        _spare_collector()
        deadline_secs = settings.runtime.shutdown_deadline_secs
        await run_together(
            {
                f"{type(component).__name__}-{number}": _run_component(component, deadline_secs)
                for number, component in enumerate(components)
            }
        )


async def _run_component(component: Component, shutdown_deadline_secs: float) -> None:
    try:
        await component.run()
    except Exception as error:
        _must_stop(component, repr(error), shutdown_deadline_secs)
        raise
    _must_stop(component, "returned", shutdown_deadline_secs)
    raise ComponentEnded(type(component).__name__)


def _must_stop(component: Component, why: str, shutdown_deadline_secs: float) -> None:
    """One component has ended, so all must: within the deadline, as after a signal."""
    log.error("component ended", component=type(component).__name__, why=why)
    asyncio.get_running_loop().call_later(shutdown_deadline_secs, _cut_short)


def allow_files() -> None:
    """As many files, sockets among them, as we may have without asking anybody.

    What a shell starts with, often 1 024, is meant for programs that use `select`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        log.warning("no more files than at the start", files=soft, error=str(error))


def _spare_collector() -> None:
    """Let the garbage collector pass over what was made until now, for good, and come less often.

    Modules and components last as long as the process; looking through them again and again made
    everything wait, some 80 ms each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
