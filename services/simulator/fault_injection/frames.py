"""The effect of faults on the frames of a feed connection."""

import asyncio
from typing import Final, Protocol

from services.simulator.fault_injection.faults import FRAME_FAULTS, Fault, FaultKind, Faults

HALF_OPEN_SECS: Final = 60.0
# Starts with the tag of field 0, which is invalid in protobuf.
GARBAGE: Final = b"\x00garbage\xff\xff\xff\xff"


class FrameSocket(Protocol):
    """The methods of a WebSocket that `FaultySocket` uses."""

    async def send_bytes(self, data: bytes) -> None:
        """Send one frame. Raises ConnectionError if the socket is closed."""
        ...

    async def close(self, *, code: int = 1000) -> bool:
        """Close with a code."""
        ...


class FaultySocket:
    """Wraps a socket and applies the armed faults; without faults it passes frames through."""

    def __init__(
        self, socket: FrameSocket, transport: asyncio.Transport | None, faults: Faults
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._faults = faults
        self._held_back: bytes | None = None
        self._is_silent = False

    async def send_bytes(self, data: bytes) -> None:
        """Send a frame, or apply the next fault to it."""
        if self._is_silent:
            return
        fault = self._faults.take(FRAME_FAULTS)
        if fault is not None and fault.kind in _CONNECTION_FAULTS:
            await self._break_connection(fault)
            return
        for frame in self._frames_to_send(data, fault):
            await self._socket.send_bytes(frame)

    def _frames_to_send(self, frame: bytes, fault: Fault | None) -> list[bytes]:
        match fault and fault.kind:
            case FaultKind.DROP:
                return []
            case FaultKind.DUPLICATE:
                return [frame, frame]
            case FaultKind.GARBAGE:
                return [GARBAGE]
            case FaultKind.TRUNCATE:
                return [frame[: len(frame) // 2]]
            case FaultKind.REORDER if self._held_back is None:
                self._held_back = frame
                return []
        held_back, self._held_back = self._held_back, None
        return [frame] if held_back is None else [frame, held_back]

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
