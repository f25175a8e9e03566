"""Faults of frames: what a socket of the feed does with them on a bad day."""

import asyncio
from typing import Final, Protocol

from services.simulator.fault_injection.faults import OF_FRAMES, Fault, FaultKind, Faults

HALF_OPEN_SECS: Final = 60.0
# Begins like field 0 of a message, which protobuf does not have.
GARBAGE: Final = b"\x00garbage\xff\xff\xff\xff"


class Socket(Protocol):
    """What is troubled."""

    async def send_bytes(self, data: bytes) -> None:
        """Send one frame."""
        ...

    async def close(self, *, code: int = 1000) -> bool:
        """Close with a code."""
        ...


class FaultySocket:
    """Stands between a session and its socket; without faults it only passes frames on."""

    def __init__(self, socket: Socket, transport: asyncio.Transport | None, faults: Faults) -> None:
        self._socket = socket
        self._transport = transport
        self._faults = faults
        self._held: bytes | None = None
        self._is_silent = False

    async def send_bytes(self, frame: bytes) -> None:
        """Send a frame, or do what the next fault does with it."""
        if self._is_silent:
            return
        fault = self._faults.take(OF_FRAMES)
        if fault is not None and fault.kind in _OF_CONNECTION:
            await self._break(fault)
            return
        for sent in self._instead(frame, fault):
            await self._socket.send_bytes(sent)

    def _instead(self, frame: bytes, fault: Fault | None) -> list[bytes]:
        match fault and fault.kind:
            case FaultKind.DROP:
                return []
            case FaultKind.DUPLICATE:
                return [frame, frame]
            case FaultKind.GARBAGE:
                return [GARBAGE]
            case FaultKind.TRUNCATE:
                return [frame[: len(frame) // 2]]
            case FaultKind.REORDER if self._held is None:
                self._held = frame
                return []
        held, self._held = self._held, None
        return [frame] if held is None else [frame, held]

    async def _break(self, fault: Fault) -> None:
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
                    # Unread, it would never be seen to end, and count as the user's for ever.
                    ends_in_secs = fault.delay_secs or HALF_OPEN_SECS
                    asyncio.get_running_loop().call_later(ends_in_secs, self._transport.abort)
        self._is_silent = True


_OF_CONNECTION: Final = frozenset(
    {FaultKind.STALL, FaultKind.HALF_OPEN, FaultKind.CLOSE, FaultKind.ABORT}
)


def heartbeat_secs(usual: float, faults: Faults) -> float | None:
    """Of a new connection: none if it may be left half open, for pings would end that."""
    return None if faults.is_armed(FaultKind.HALF_OPEN) else usual
