"""Runs a service process: settings, logging, signals, components and the exit code."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, Protocol, TypeVar

import uvloop

from shared.errors import BusClosed, ConfigError
from shared.runtime import exit_codes, logs
from shared.runtime.build_info import report_version
from shared.runtime.file_limit import raise_file_limit
from shared.runtime.health import Readiness, ops_site
from shared.runtime.loop_lag import LoopLag
from shared.runtime.settings import ServiceSettings, load
from shared.runtime.span_export import exporting_spans
from shared.runtime.tasks import run_together, stop

log = logs.get_logger(__name__)

# Python's default is 700, fewer objects than one HTTP response allocates.
_GC_GENERATION_0_THRESHOLD: Final = 20_000
_STARTUP: Final = "startup"
_SHUTDOWN: Final = "shutdown"


class Component(Protocol):
    """Something with a `run()` that lasts as long as the process."""

    async def run(self) -> None:
        """Run until cancelled, or raise."""
        ...


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Build = Callable[[SettingsT, Readiness], AbstractAsyncContextManager[Sequence[Component]]]


class _BackgroundTasks:
    """A component that ends with the first of tasks that something else owns."""

    def __init__(self, tasks: "Sequence[asyncio.Task[None]]") -> None:
        self._tasks = tasks

    async def run(self) -> None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


@asynccontextmanager
async def run_in_background(*components: Component) -> AsyncIterator[Component]:
    """Run `components` until the block ends; yields a component that ends with the first of them.

    Cancelling the yielded component does not cancel `components`, so that code which shuts down
    inside the block can still use them.
    """
    tasks = [
        asyncio.create_task(component.run(), name=type(component).__name__)
        for component in components
    ]
    try:
        yield _BackgroundTasks(tasks)
    finally:
        await stop(tasks)


class ComponentEnded(RuntimeError):
    """A component returned, though components must run until cancelled."""


def run(name: str, build: Build[SettingsT], settings_type: type[SettingsT]) -> int:
    """Run a service until SIGTERM or SIGINT; returns the exit code of the process.

    `build` opens the service's resources and yields its components, which run concurrently.
    When one of them fails, the others are stopped, and all resources are closed in reverse order.
    """
    try:
        settings = load(settings_type)
    except ConfigError as error:
        for problem in error.problems:
            print(f"{name}: {problem}", file=sys.stderr)
        return exit_codes.CONFIG
    logs.configure(settings.log, name)
    raise_file_limit()
    report_version()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run_until_signal(name, build, settings))


async def _run_until_signal(name: str, build: Build[SettingsT], settings: SettingsT) -> int:
    loop = asyncio.get_running_loop()
    readiness = Readiness(name)
    service = asyncio.create_task(_serve(name, build, settings, readiness), name=name)
    stopping = False

    def on_signal(signal_name: str) -> None:
        nonlocal stopping
        if stopping:
            log.warning("second signal, exiting at once", signal=signal_name)
            os._exit(exit_codes.FAILED)
        stopping = True
        log.info("stopping", signal=signal_name)
        readiness.down(_SHUTDOWN, "this process is stopping")
        service.cancel()
        loop.call_later(settings.runtime.shutdown_deadline_secs, _force_exit)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number.name)
    try:
        await asyncio.wait([service])
    finally:
        service.cancel()
    return _exit_code(service, stop_requested=stopping)


def _force_exit() -> None:
    log.error("shutdown deadline passed, exiting at once")
    os._exit(exit_codes.FAILED)


def _exit_code(service: "asyncio.Task[None]", *, stop_requested: bool) -> int:
    if service.cancelled():
        log.info("stopped")
        return exit_codes.OK if stop_requested else exit_codes.FAILED
    error = service.exception()
    if error is None:
        return exit_codes.OK if stop_requested else exit_codes.FAILED
    code = exit_codes.FAILED
    for leaf in _leaves(error):
        match leaf:
            case ConfigError(problems=problems):
                code = exit_codes.CONFIG
                log.error("cannot start", problems=problems)
            case BusClosed():
                code = exit_codes.TEMPFAIL
                log.error("bus closed", error=str(leaf))
            case _:
                log.error("failed", error=repr(leaf), exc_info=leaf)
    return code


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


async def _serve(
    name: str, build: Build[SettingsT], settings: SettingsT, readiness: Readiness
) -> None:
    readiness.down(_STARTUP, "starting")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            ops_site(readiness, settings.runtime.ops_host, settings.ops_port)
        )
        deadline_secs = settings.runtime.shutdown_deadline_secs
        await stack.enter_async_context(
            exporting_spans(settings.otlp, name, shutdown_secs=deadline_secs)
        )
        components = await stack.enter_async_context(build(settings, readiness))
        readiness.up(_STARTUP)
        _tune_gc()
        await run_together(
            {
                f"{type(component).__name__}-{number}": _run_component(component, deadline_secs)
                for number, component in enumerate([*components, LoopLag()])
            }
        )


async def _run_component(component: Component, shutdown_deadline_secs: float) -> None:
    try:
        await component.run()
    except Exception as error:
        _start_shutdown_deadline(component, repr(error), shutdown_deadline_secs)
        raise
    _start_shutdown_deadline(component, "returned", shutdown_deadline_secs)
    raise ComponentEnded(type(component).__name__)


def _start_shutdown_deadline(
    component: Component, reason: str, shutdown_deadline_secs: float
) -> None:
    """The process stops because a component ended; the deadline is that of a signal."""
    log.error("component ended", component=type(component).__name__, reason=reason)
    asyncio.get_running_loop().call_later(shutdown_deadline_secs, _force_exit)


def _tune_gc() -> None:
    """Calls gc.freeze() and raises the generation-0 threshold.

    Modules and components live as long as the process. Scanning them in every full collection
    stopped the process for about 80 ms each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_GENERATION_0_THRESHOLD)
