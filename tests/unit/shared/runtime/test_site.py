"""Idle connections are counted apart from active ones."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from shared.runtime.site import _close_idle, _tracking
from tests.support.virtual_time import run_virtual


class Connection:
    """Stands for one connection of the server."""

    is_closed = False

    def force_close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("fails", [True, False])
async def test_a_connection_is_active_while_its_request_is_handled(fails: bool) -> None:
    active: set[web.RequestHandler] = set()
    request = make_mocked_request("GET", "/")

    async def handler(_: web.Request) -> web.StreamResponse:
        assert active == {request.protocol}
        if fails:
            raise ZeroDivisionError
        return web.Response()

    middleware: Any = _tracking(active)
    if fails:
        with pytest.raises(ZeroDivisionError):
            await middleware(request, handler)
    else:
        await middleware(request, handler)
    assert active == set()


def test_the_oldest_idle_connections_above_the_limit_are_closed() -> None:
    connections = [Connection() for _ in range(5)]
    active = {connections[0]}
    runner: Any = SimpleNamespace(server=SimpleNamespace(connections=connections))

    async def main() -> None:
        closing = asyncio.create_task(
            _close_idle(runner, cast("set[web.RequestHandler]", active), 2)
        )
        await asyncio.sleep(1.5)
        closing.cancel()

    run_virtual(main())
    assert [connection.is_closed for connection in connections] == [
        False,
        True,
        True,
        False,
        False,
    ]
