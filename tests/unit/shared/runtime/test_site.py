"""Idle connections are counted apart from active ones."""

import asyncio
import errno
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from shared.errors import ConfigError
from shared.runtime.departure import Departure
from shared.runtime.site import _close_idle, _tracking, listen_problem, serve
from tests.support.virtual_time import run_virtual


class Connection:
    """Stands for one connection of the server."""

    is_closed = False
    transport = None

    def force_close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.EADDRINUSE, ""), "P: port 80 on h is in use; set another port"),
        (OSError(errno.EADDRNOTAVAIL, ""), "H: h is not an address of this machine"),
        (OSError(errno.EAFNOSUPPORT, ""), "H: h is not an address of this machine"),
        (
            PermissionError(errno.EACCES, ""),
            (
                "P: permission denied for port 80 on h; a port below 1024 needs root or "
                "CAP_NET_BIND_SERVICE"
            ),
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "H: h: the name cannot be resolved (Name or service not known)",
        ),
        (OSError(errno.ENOBUFS, "No buffer"), "H: cannot listen on h port 80: No buffer"),
    ],
)
def test_a_failure_to_listen_names_the_setting_and_the_cause(error: OSError, line: str) -> None:
    assert listen_problem(error, "h", 80, ("H", "P")) == line


async def test_a_host_that_is_not_ours_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError) as raised:
        async with serve(web.Application(), "192.0.2.1", 0, settings=("H", "P")):
            pass
    assert raised.value.problems == ["H: 192.0.2.1 is not an address of this machine"]


@pytest.mark.parametrize("fails", [True, False])
async def test_a_connection_is_active_while_its_request_is_handled(fails: bool) -> None:
    active: set[web.RequestHandler] = set()
    request = make_mocked_request("GET", "/")

    async def handler(_: web.Request) -> web.StreamResponse:
        assert active == {request.protocol}
        if fails:
            raise ZeroDivisionError
        return web.Response()

    middleware: Any = _tracking(active, Departure())
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
