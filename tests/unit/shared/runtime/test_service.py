"""Components in the background end with their block, and exit codes follow the failure."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.errors import BusClosed, ConfigError
from shared.runtime import exit_codes
from shared.runtime.service import _exit_code, run_in_background


class Waits:
    """A component that runs until cancelled."""

    is_cancelled = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.is_cancelled = True


class Fails:
    """A component that raises at once."""

    async def run(self) -> None:
        raise ZeroDivisionError


async def test_background_components_outlive_the_component_that_stands_for_them() -> None:
    component = Waits()
    async with run_in_background(component) as background:
        running = asyncio.create_task(background.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert not component.is_cancelled
    assert component.is_cancelled


async def test_a_failure_in_the_background_is_raised_by_the_component_that_stands_for_it() -> None:
    component = Waits()
    async with run_in_background(component, Fails()) as background:
        with pytest.raises(ZeroDivisionError):
            await background.run()
        assert not component.is_cancelled
    assert component.is_cancelled


async def fail(error: BaseException) -> None:
    raise error


async def ended(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    task = asyncio.create_task(work)
    await asyncio.wait([task])
    return task


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(["wrong"]), exit_codes.CONFIG),
        (BusClosed("closed"), exit_codes.TEMPFAIL),
        (ZeroDivisionError(), exit_codes.FAILED),
        (ExceptionGroup("", [ExceptionGroup("", [BusClosed("closed")])]), exit_codes.TEMPFAIL),
    ],
    ids=repr,
)
@pytest.mark.parametrize("stop_requested", [True, False])
async def test_a_failure_decides_the_exit_code(
    error: Exception, code: int, stop_requested: bool
) -> None:
    task = await ended(fail(error))
    with capture_logs() as logged:
        assert _exit_code(task, stop_requested=stop_requested) == code
    assert [line["log_level"] for line in logged] == ["error"]


@pytest.mark.parametrize(
    ("stop_requested", "code"), [(True, exit_codes.OK), (False, exit_codes.FAILED)]
)
async def test_a_service_that_ends_without_an_error_succeeds_only_after_a_signal(
    stop_requested: bool, code: int
) -> None:
    returned = await ended(asyncio.sleep(0))
    assert _exit_code(returned, stop_requested=stop_requested) == code
    cancelled = await ended(fail(asyncio.CancelledError()))
    assert _exit_code(cancelled, stop_requested=stop_requested) == code
