"""Leaves a nats-server that no longer answers: aborts its connection, and tries the others first."""

from typing import Any

from nats.aio.client import Client, Server, Srv

from shared.runtime.backoff import Backoff


def abort_lost_connections(client: Client) -> None:
    """Make the client abort a connection that it gives up.

    nats-py closes it, which waits until the server has read all that was sent. A server that is
    stopped, or cut off from the network, never does: the client would wait for it and not connect
    to another one. A connection to a server that does not greet would be left open.

    Publishing on a connection whose end the client has not noticed yet raises
    ConnectionResetError; uvloop's RuntimeError would look like a fault of the caller.
    """
    attempt_reconnect = client._attempt_reconnect  # noqa: SLF001
    connect_to_server = client._connect_to_server  # noqa: SLF001
    flush_pending = client._flush_pending  # noqa: SLF001

    async def flush(force_flush: bool = False) -> Any:
        try:
            return await flush_pending(force_flush)
        except RuntimeError as error:
            raise ConnectionResetError(str(error)) from None

    async def reconnect() -> None:
        abort_connection(client)
        await attempt_reconnect()

    async def connect(s: Srv) -> None:
        abort_connection(client)
        await connect_to_server(s)

    client._flush_pending = flush  # type: ignore[method-assign]  # noqa: SLF001
    client._attempt_reconnect = reconnect  # type: ignore[method-assign]  # noqa: SLF001
    client._connect_to_server = connect  # type: ignore[method-assign]  # noqa: SLF001


def abort_connection(client: Client) -> None:
    """Close the socket at once, without sending what is left; does nothing if it is closed."""
    writer = getattr(client._transport, "_io_writer", None)  # noqa: SLF001
    if writer is not None:
        writer.transport.abort()


class ServerChoice:
    """Which server to connect to after an outage: each in turn, the lost one last."""

    def __init__(self, client: Client, backoff: Backoff) -> None:
        self._client = client
        self._backoff = backoff
        self._lost = ""

    def next(self, servers: list[Server], _info: object) -> tuple[Server, float]:
        """The server of the next attempt, and the pause before it in seconds."""
        attempt = self._backoff.attempt
        if attempt == 0:
            current = self._client._current_server  # noqa: SLF001
            self._lost = "" if current is None else current.uri.netloc
        in_turn = sorted(servers, key=lambda server: server.uri.netloc == self._lost)
        return in_turn[attempt % len(in_turn)], self._backoff.next_secs()
