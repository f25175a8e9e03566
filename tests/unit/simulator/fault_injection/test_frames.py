"""A troubled socket does with frames what is armed."""

import asyncio

import pytest

from services.simulator.fault_injection.faults import Fault, FaultKind, Faults
from services.simulator.fault_injection.frames import GARBAGE, FaultySocket, heartbeat_secs
from services.simulator.feed.encode import pb


class Socket:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.codes: list[int] = []

    async def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)

    async def close(self, *, code: int = 1000) -> bool:
        self.codes.append(code)
        return True


class Transport(asyncio.Transport):
    """Counts what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def abort(self) -> None:
        self.done.append("abort")

    def pause_reading(self) -> None:
        self.done.append("pause")


async def sent_with(*faults: Fault, frames: int = 4) -> tuple[Socket, Transport]:
    armed, socket, transport = Faults(), Socket(), Transport()
    for fault in faults:
        armed.arm(fault)
    troubled = FaultySocket(socket, transport, armed)
    for number in range(frames):
        await troubled.send_bytes(f"{number}{number}".encode())
    return socket, transport


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (None, [b"00", b"11", b"22", b"33"]),
        (FaultKind.DROP, [b"00", b"22", b"33"]),
        (FaultKind.DUPLICATE, [b"00", b"11", b"11", b"22", b"33"]),
        (FaultKind.REORDER, [b"00", b"22", b"11", b"33"]),
        (FaultKind.GARBAGE, [b"00", GARBAGE, b"22", b"33"]),
        (FaultKind.TRUNCATE, [b"00", b"1", b"22", b"33"]),
        (FaultKind.STALL, [b"00"]),
        (FaultKind.HALF_OPEN, [b"00"]),
        (FaultKind.ABORT, [b"00"]),
    ],
)
async def test_second_frame_is_struck(kind: FaultKind | None, sent: list[bytes]) -> None:
    faults = [] if kind is None else [Fault(kind, after=1)]
    socket, _ = await sent_with(*faults)
    assert socket.sent == sent


async def test_frame_held_back_is_not_lost_when_the_next_is_struck_too() -> None:
    socket, _ = await sent_with(Fault(FaultKind.REORDER, times=2), frames=3)
    assert socket.sent == [b"11", b"00", b"22"]


async def test_connection_is_broken_as_told() -> None:
    assert (await sent_with(Fault(FaultKind.CLOSE, code=1000)))[0].codes == [1000]
    assert (await sent_with(Fault(FaultKind.ABORT)))[1].done == ["abort"]
    assert (await sent_with(Fault(FaultKind.HALF_OPEN)))[1].done == ["pause"]


def test_garbage_is_no_message() -> None:
    with pytest.raises(Exception, match="parsing"):
        pb.FeedResponse.FromString(GARBAGE)


def test_connection_that_may_be_left_half_open_has_no_heartbeat() -> None:
    faults = Faults()
    assert heartbeat_secs(5.0, faults) == 5.0
    faults.arm(Fault(FaultKind.HALF_OPEN))
    assert heartbeat_secs(5.0, faults) is None
