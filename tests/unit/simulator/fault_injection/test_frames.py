"""A faulty socket applies the armed faults to its frames."""

import asyncio
import json

import pytest

from services.simulator.fault_injection.fault_kinds import FaultKind, Stream
from services.simulator.fault_injection.faults import Fault, Faults
from services.simulator.fault_injection.frames import (
    GARBAGE,
    GARBAGE_TEXT,
    FaultySocket,
    heartbeat_secs,
)
from services.simulator.feed.encode import pb
from tests.support.patience import PATIENCE_SECS


class Socket:
    """Records sent frames and close codes."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.codes: list[int] = []
        self._changed = asyncio.Condition()

    async def send_bytes(self, data: bytes) -> None:
        async with self._changed:
            self.sent.append(data)
            self._changed.notify_all()

    async def has_sent(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.sent) >= count)

    async def close(self, *, code: int = 1000) -> bool:
        self.codes.append(code)
        return True


class Transport(asyncio.Transport):
    """Records the calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def abort(self) -> None:
        self.calls.append("abort")

    def pause_reading(self) -> None:
        self.calls.append("pause")


async def sent_with(*faults: Fault, frames: int = 4) -> tuple[Socket, Transport]:
    """Send numbered frames while these faults are armed."""
    armed, socket, transport = Faults(), Socket(), Transport()
    for fault in faults:
        armed.arm(fault)
    faulty = FaultySocket(
        socket, socket.send_bytes, transport, armed,
        garbage=GARBAGE, stream=Stream.FEED, user_id="U1",
    )  # fmt: skip
    for number in range(frames):
        await faulty.send(f"{number}{number}".encode())
    await faulty.end()
    return socket, transport


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (None, [b"00", b"11", b"22", b"33"]),
        (FaultKind.DROP, [b"00", b"22", b"33"]),
        (FaultKind.DUPLICATE, [b"00", b"11", b"11", b"22", b"33"]),
        (FaultKind.REORDER, [b"00", b"22", b"11", b"33"]),
        (FaultKind.DELAY, [b"00", b"22", b"33"]),
        (FaultKind.GARBAGE, [b"00", GARBAGE, b"22", b"33"]),
        (FaultKind.TRUNCATE, [b"00", b"1", b"22", b"33"]),
        (FaultKind.STALL, [b"00"]),
        (FaultKind.HALF_OPEN, [b"00"]),
        (FaultKind.ABORT, [b"00"]),
    ],
)
async def test_a_fault_applies_to_the_second_frame(
    kind: FaultKind | None, sent: list[bytes]
) -> None:
    faults = [] if kind is None else [Fault(kind, after=1)]
    socket, _ = await sent_with(*faults)
    assert socket.sent == sent


async def test_a_frame_held_back_is_sent_when_the_next_is_reordered_too() -> None:
    socket, _ = await sent_with(Fault(FaultKind.REORDER, times=2), frames=3)
    assert socket.sent == [b"11", b"00", b"22"]


async def test_connection_faults_close_abort_or_stop_reading() -> None:
    assert (await sent_with(Fault(FaultKind.CLOSE, code=1000)))[0].codes == [1000]
    assert (await sent_with(Fault(FaultKind.ABORT)))[1].calls == ["abort"]
    assert (await sent_with(Fault(FaultKind.HALF_OPEN)))[1].calls == ["pause"]


def test_garbage_cannot_be_decoded() -> None:
    with pytest.raises(Exception, match="parsing"):
        pb.FeedResponse.FromString(GARBAGE)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(GARBAGE_TEXT)


async def test_a_delayed_message_is_sent_after_the_following_ones() -> None:
    armed, socket = Faults(), Socket()
    armed.arm(Fault(FaultKind.DELAY, delay_secs=0.01))
    faulty = FaultySocket(
        socket, socket.send_bytes, None, armed,
        garbage=GARBAGE, stream=Stream.FEED, user_id="U1",
    )  # fmt: skip
    await faulty.send(b"first")
    await faulty.send(b"second")
    async with asyncio.timeout(PATIENCE_SECS):
        await socket.has_sent(2)
    assert socket.sent == [b"second", b"first"]


async def test_a_fault_of_another_user_or_stream_does_not_apply() -> None:
    others = [
        Fault(FaultKind.DROP, user_id="U2"),
        Fault(FaultKind.DROP, stream=Stream.PORTFOLIO),
    ]
    assert len((await sent_with(*others))[0].sent) == 4


def test_a_connection_has_no_heartbeat_while_a_half_open_fault_is_armed() -> None:
    faults = Faults()
    assert heartbeat_secs(5.0, faults) == 5.0
    faults.arm(Fault(FaultKind.HALF_OPEN))
    assert heartbeat_secs(5.0, faults) is None
