"""Reads the stream of ticks, TICKS, and distinguishes it from a lost or older one."""

from shared.bus.connection import Bus
from shared.bus.stream_reader import StreamReader
from shared.contracts.subjects import TICKS_STREAM


class TickReader(StreamReader):
    """Reads the stream TICKS."""

    def __init__(
        self,
        bus: Bus,
        *,
        start: int | None,
        stored_ns: int = 0,
        subject: str = ">",
        batch_size: int = 1_000,
    ) -> None:
        super().__init__(
            bus, TICKS_STREAM, bus.js_api, start=start, stored_ns=stored_ns, subject=subject,
            batch_size=batch_size,
        )  # fmt: skip


async def ticks_identity(bus: Bus) -> tuple[str, int]:
    """Identity that distinguishes TICKS from a lost predecessor, and its last position.

    Raises nats.errors.Error if the server does not reply, or has no such stream.
    """
    info = await bus.js.stream_info(TICKS_STREAM)
    return info.config.description or "", info.state.last_seq


async def holds_tick(bus: Bus, position: int, stored_ns: int, *, last_position: int) -> bool:
    """Whether TICKS may still hold the entry that was read at `position`.

    `stored_ns`: when that entry was stored, ns since 1970; 0 if none was read. `last_position`: the
    end of TICKS. False if TICKS has another entry there, or ends before; True also if it has removed
    the entry by its age. Raises StreamUnavailable, or StreamNotFound.
    """
    if not stored_ns:
        return True
    if position > last_position:
        return False
    async with TickReader(bus, start=position, batch_size=1) as reader:
        entries = await reader.batch()
    return not entries or entries[0].position > position or entries[0].stored_ns == stored_ns


async def first_tick_position(bus: Bus) -> int:
    """The position of the oldest entry that TICKS still holds; if it is empty, of the next one.

    Raises nats.errors.Error as `ticks_identity`.
    """
    return (await bus.js.stream_info(TICKS_STREAM)).state.first_seq
