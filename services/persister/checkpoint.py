"""Where a reader of the stream can resume, and what it must know there."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Carry:
    """What a window needs to know of an instrument's past."""

    key: str
    ltt: int
    """Time of the last trade that was seen, epoch ms."""
    seen_vtt: int | None
    """Cumulative volume that was seen; None for an index."""
    vtt: int | None
    """Cumulative volume up to which all is counted in some bar; differs from `seen_vtt`
    after a snapshot, which shows trades without making them."""
    seen_ms: int
    """Time of the last quote of it."""
    first_position: int = 0
    """Stream position of its first quote; 0 if that was in a stream that is gone."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where to resume, and what must be known there."""

    stream: str
    """Which stream the position is of: when it was made."""
    position: int
    """First stream position to read again."""
    next_position: int
    """The position that was to come, just before `position`; less if entries were lost."""
    closed_until: int
    """All windows that end by this exchange time are stored."""
    time_ms: int | None
    """Exchange time reached just before `position`; None if nothing was read yet."""
    feed_ms: int | None
    """Exchange time that the feed itself had told by then."""
    gap_ms: int | None
    """When the last silence of the feed began, if there was one."""
    feed_epoch: int
    carries: tuple[Carry, ...] = ()

    def of_stream(self, stream: str) -> "Checkpoint":
        """This checkpoint if it is of `stream`, else the beginning of that one.

        What lies between a lost stream and the one made in its place counts as lost.
        """
        if stream == self.stream:
            return self
        carries = tuple(replace(carry, first_position=0) for carry in self.carries)
        return replace(self, stream=stream, position=1, next_position=0, carries=carries)


FRESH = Checkpoint(
    stream="",
    position=1,
    next_position=1,
    closed_until=0,
    time_ms=None,
    feed_ms=None,
    gap_ms=None,
    feed_epoch=0,
)
