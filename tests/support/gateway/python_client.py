"""The Python client of the stream, connected to a gateway under test."""

import asyncio
from typing import Any, Final, TypeVar

from tests.support.gateway.endpoint import Gateway
from tests.support.patience import OUTAGE_SECS, PATIENCE_SECS
from tradedad_client import Client, Subscription, Timing

T = TypeVar("T")

TIMING: Final = Timing(open_secs=PATIENCE_SECS, heartbeat_secs=PATIENCE_SECS)
OUTAGE_TIMING: Final = Timing(open_secs=OUTAGE_SECS, heartbeat_secs=OUTAGE_SECS)
"""For tests in which the gateway or the way to it does not answer."""


def python_client(gateway: Gateway, url: str | None = None, **options: Any) -> Client:
    """A client with a good token, unless the options say how it gets one."""
    if not options.keys() & {"token", "ask_token", "email"}:
        options["token"] = gateway.issuer.token()
    patient: dict[str, Any] = {"timing": TIMING, "open_timeout_secs": PATIENCE_SECS}
    return Client(url or gateway.url, **(patient | options))


async def next_of(subscription: Subscription[Any], kind: type[T]) -> T:
    """The next message of a kind; skips others."""
    async with asyncio.timeout(PATIENCE_SECS):
        async for message in subscription:
            if isinstance(message, kind):
                return message
    raise AssertionError("the subscription has ended")


async def open_and_close(client: Client) -> None:
    """For clients that cannot be opened: raises the reason."""
    async with client:
        pass
