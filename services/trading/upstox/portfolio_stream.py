"""The stream of order updates of one Upstox account, over a WebSocket."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import aiohttp

from services.trading.upstox.answer_reading import Unreadable, json_of
from services.trading.upstox.order_rows import order_row
from services.trading.upstox.row_fields import BadRow
from services.trading.upstox.rows import OrderRow
from services.trading.upstox.skipped_rows import SkippedRows
from shared.errors import UpstoxUnavailable

_MAX_MESSAGE_BYTES: Final = 1 << 20
_CONNECT_TIMEOUT_SECS: Final = 10.0
_CLOSE_TIMEOUT_SECS: Final = 2.0
_KIND: Final = "stream"


class StreamEnded(UpstoxUnavailable):
    """The stream cannot be opened or has broken; `cause` is a short label for logs and metrics."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"portfolio stream: {cause}")
        self.cause = cause


@asynccontextmanager
async def portfolio_stream(
    http: aiohttp.ClientSession, address: str, skipped: SkippedRows, *, ping_secs: float
) -> AsyncIterator[AsyncIterator[OrderRow]]:
    """Connect to a one-time address of `AccountCalls.stream_address`; yields the order updates.

    Updates may be missing, late, twice or out of order, and none come for what happened before the
    connection. So read the order book and the trades after each connect, and now and then: a
    connected stream can stay silent while orders change. The session must have no total timeout.
    Raises StreamEnded here, or from the iterator, which has no other end.
    """
    socket = await _open(http, address, ping_secs)
    try:
        async with aclosing(_updates(socket, skipped)) as updates:
            yield updates
    finally:
        await socket.close()


async def _open(
    http: aiohttp.ClientSession, address: str, ping_secs: float
) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_SECS):
            return await http.ws_connect(
                address,
                heartbeat=ping_secs,
                max_msg_size=_MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_SECS),
            )
    except aiohttp.WSServerHandshakeError as error:
        raise StreamEnded(f"handshake_{error.status}") from None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise StreamEnded(f"connect_{type(error).__name__}") from None


async def _updates(
    socket: aiohttp.ClientWebSocketResponse, skipped: SkippedRows
) -> AsyncGenerator[OrderRow, None]:
    # No timeout: an account may be silent for hours. A missing pong ends the socket.
    while True:
        message = await socket.receive()
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise StreamEnded(_cause(socket, message))
        try:
            row = _order_update(message.data)
        except BadRow as error:
            skipped.skip(_KIND, error)
            continue
        if row is not None:
            yield row


def _cause(socket: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> str:
    if message.type is aiohttp.WSMsgType.ERROR:
        return "no_pong" if isinstance(message.data, TimeoutError) else "broken"
    return f"close_{socket.close_code}"


def _order_update(data: str | bytes) -> OrderRow | None:
    """The order of a message; None for updates of other kinds. Raises BadRow."""
    try:
        update = json_of(data)
    except Unreadable as error:
        raise BadRow("message", f"is not JSON: {error}") from None
    if not isinstance(update, dict):
        raise BadRow("message", "is not an object")
    return order_row(update) if update.get("update_type") == "order" else None
