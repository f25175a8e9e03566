"""From what is wanted to what Upstox is asked for, within its limits.

PURE.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from services.ingest.demand.interest import Interest
from services.ingest.demand.limits import Mode, ModeLimits

# The SDK sends any number in one message; smaller ones keep the answering snapshots small.
_MOST_KEYS: Final = 500


class Method(StrEnum):
    """What a request does; Upstox's names."""

    SUBSCRIBE = "sub"
    CHANGE_MODE = "change_mode"
    UNSUBSCRIBE = "unsub"


@dataclass(frozen=True, slots=True)
class Request:
    """One message to Upstox; `mode` is None when unsubscribing."""

    method: Method
    keys: tuple[str, ...]
    mode: Mode | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The mode of every instrument to be subscribed, and who found no place."""

    modes: dict[str, Mode]
    refused: tuple[str, ...]


def plan(
    interest: Interest, limits: ModeLimits, *, current: Mapping[str, Mode], silent: AbstractSet[str]
) -> Plan:
    """Who is subscribed, by rank: pinned, then what gateways want and already have, then
    what they want anew, then what is wanted but `silent` (Upstox says nothing of it), then
    what lingers. Who has a place keeps it against an equal.
    """
    demanded = interest.demanded
    heard = [key for key in demanded if key not in silent]
    ranked = dict.fromkeys(
        (
            *interest.pinned,
            *(key for key in heard if key in current),
            *(key for key in heard if key not in current),
            *(key for key in demanded if key in silent),
        )
    )
    deep = _deep(interest, limits, ranked)
    room = limits.full_mixed + len(deep) if deep else limits.full_alone
    chosen = list(islice(ranked, room))
    refused = tuple(islice(ranked, room, None))
    kept = (key for key in interest.lingering if key in current and key not in ranked)
    chosen += islice(kept, room - len(chosen))
    modes = {key: Mode.FULL_D30 if key in deep else Mode.FULL for key in chosen}
    return Plan(modes, refused)


def _deep(interest: Interest, limits: ModeLimits, ranked: Iterable[str]) -> frozenset[str]:
    """Whose book is asked for with thirty levels: none if quotes would lose their place."""
    if not limits.deep:
        return frozenset()
    wanted = list(ranked)
    deep = frozenset(islice((key for key in wanted if key in interest.depth), limits.deep))
    return deep if len(wanted) - len(deep) <= limits.full_mixed else frozenset()


def requests(current: Mapping[str, Mode], target: Mapping[str, Mode]) -> list[Request]:
    """What leads from `current` to `target`; room is made before it is needed.

    What stays as it is is not asked for again.
    """
    ended = [key for key in current if key not in target]
    found = _chunks(Method.UNSUBSCRIBE, ended, None)
    # To the mode with more room first.
    for mode in (Mode.FULL, Mode.FULL_D30):
        changed = [k for k, m in target.items() if m is mode and k in current and current[k] != m]
        found += _chunks(Method.CHANGE_MODE, changed, mode)
    for mode in (Mode.FULL, Mode.FULL_D30):
        added = [key for key, its in target.items() if its is mode and key not in current]
        found += _chunks(Method.SUBSCRIBE, added, mode)
    return found


def _chunks(method: Method, keys: list[str], mode: Mode | None) -> list[Request]:
    starts = range(0, len(keys), _MOST_KEYS)
    return [Request(method, tuple(keys[at : at + _MOST_KEYS]), mode) for at in starts]
