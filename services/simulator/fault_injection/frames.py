"""The effect of faults on the messages of a WebSocket connection."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import AnyStr, Final, Generic, Protocol

from services.simulator.fault_injection.fault_kinds import FRAME_FAULTS, FaultKind, Stream
from services.simulator.fault_injection.faults import Fault, Faults
from shared.runtime.tasks import stop

HALF_OPEN_SECS: Final = 60.0
# Starts with the tag of field 0, which is invalid in protobuf.
GARBAGE: Final = b"\x00garbage\xff\xff\xff\xff"
GARBAGE_TEXT: Final = '{"update_type": "order", garbage'


class Closable(Protocol):
    """The method of a WebSocket that ends the connection."""

    async def close(self, *, code: int = 1000) -> bool:
        """Close with a code."""
        ...


class FaultySocket(Generic[AnyStr]):
    """Wraps a socket and applies the armed faults; without faults it passes messages through."""

    def __init__(
        self,
        socket: Closable,
        send: Callable[[AnyStr], Awaitable[None]],
        transport: asyncio.Transport | None,
        faults: Faults,
        *,
        garbage: AnyStr,
        stream: Stream,
        user_id: str,
    ) -> None:
        """`send` raises ConnectionError if the socket is closed."""
        self._socket = socket
        self._send: Callable[[AnyStr], Awaitable[None]] = send
        self._transport = transport
        self._faults = faults
        self._garbage: AnyStr = garbage
        self._stream = stream
        self._user_id = user_id
        self._held_back: AnyStr | None = None
        self._delayed: set[asyncio.Task[None]] = set()
        self._is_silent = False

    async def send(self, message: AnyStr) -> None:
        """Send a message, or apply the next fault to it."""
        if self._is_silent:
            return
        fault = self._faults.take(FRAME_FAULTS, stream=self._stream, user_id=self._user_id)
        if fault is not None and fault.kind in _CONNECTION_FAULTS:
            await self._break_connection(fault)
            return
        if fault is not None and fault.kind is FaultKind.DELAY:
            task = asyncio.create_task(self._send_later(message, fault.delay_secs))
            self._delayed.add(task)
            task.add_done_callback(self._delayed.discard)
            return
        for each in self._to_send(message, fault):
            await self._send(each)

    async def end(self) -> None:
        """Send none of the delayed messages any more."""
        await stop(self._delayed)

    async def _send_later(self, message: AnyStr, delay_secs: float) -> None:
        await asyncio.sleep(delay_secs)
        with suppress(ConnectionError):  # the reader of the socket ends the session
            if not self._is_silent:
                await self._send(message)

    def _to_send(self, message: AnyStr, fault: Fault | None) -> list[AnyStr]:
        match fault and fault.kind:
            case FaultKind.DROP:
                return []
            case FaultKind.DUPLICATE:
                return [message, message]
            case FaultKind.GARBAGE:
                return [self._garbage]
            case FaultKind.TRUNCATE:
                return [message[: len(message) // 2]]
            case FaultKind.REORDER if self._held_back is None:
                self._held_back = message
                return []
        held_back, self._held_back = self._held_back, None
        return [message] if held_back is None else [message, held_back]

    async def _break_connection(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.CLOSE:
                await self._socket.close(code=fault.code)
                return
            case FaultKind.ABORT:
                if self._transport is not None:
                    self._transport.abort()
            case FaultKind.HALF_OPEN:
                if self._transport is not None:
                    self._transport.pause_reading()
                    # Without reading, its end is never detected, and it would count as one of
                    # the user's connections for ever.
                    delay_secs = fault.delay_secs or HALF_OPEN_SECS
                    asyncio.get_running_loop().call_later(delay_secs, self._transport.abort)
        self._is_silent = True


_CONNECTION_FAULTS: Final = frozenset(
    {FaultKind.STALL, FaultKind.HALF_OPEN, FaultKind.CLOSE, FaultKind.ABORT}
)


def heartbeat_secs(configured_secs: float, faults: Faults) -> float | None:
    """The heartbeat of a new connection; None if a `half_open` fault is armed.

    A half-open connection answers no pings, so a heartbeat would close it.
    """
    return None if faults.is_armed(FaultKind.HALF_OPEN) else configured_secs
