"""A client of the portfolio stream receives its own updates of the requested types."""

import asyncio
from typing import cast

from aiohttp import web

from services.simulator.account.portfolio_updates import PortfolioUpdate, UpdateType
from services.simulator.sockets.portfolio_session import PortfolioSession
from shared.runtime.tasks import stop
from tests.support.patience import PATIENCE_SECS


class Socket:
    """Records the sent messages."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[str] = asyncio.Queue()

    async def send_str(self, text: str) -> None:
        self.sent.put_nowait(text)


async def test_only_the_requested_updates_of_the_user_are_sent() -> None:
    socket = Socket()
    session = PortfolioSession(
        cast("web.WebSocketResponse", socket),
        socket.send_str,
        None,
        user_id="U",
        update_types={UpdateType.ORDER, UpdateType.GTT},
        max_updates=2,
        send_timeout_secs=5.0,
    )
    session.publish(PortfolioUpdate("U", UpdateType.POSITION, "position"))
    session.publish(PortfolioUpdate("V", UpdateType.ORDER, "order of another user"))
    session.publish(PortfolioUpdate("U", UpdateType.ORDER, "order"))
    session.publish(PortfolioUpdate("U", UpdateType.GTT, "gtt order"))
    writer = asyncio.create_task(session.write())
    async with asyncio.timeout(PATIENCE_SECS):
        assert [await socket.sent.get() for _ in range(2)] == ["order", "gtt order"]
    await stop([writer])
    assert socket.sent.empty()
