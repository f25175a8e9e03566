"""Requests to Upstox that change the subscriptions of a connection.

PURE.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.ingest.demand.limits import Mode

# The SDK sends any number of keys in one message. A smaller request gets a smaller snapshot.
_MAX_KEYS: Final = 500
# The higher limit first: a change to it makes room for the others.
_MODES: Final = (Mode.OPTION_GREEKS, Mode.FULL, Mode.FULL_D30)


class Method(StrEnum):
    """The effect of a request. The values are Upstox's names."""

    SUBSCRIBE = "sub"
    CHANGE_MODE = "change_mode"
    UNSUBSCRIBE = "unsub"


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """One message to Upstox; `mode` is None when unsubscribing."""

    method: Method
    keys: tuple[str, ...]
    mode: Mode | None


def requests_between(
    current: Mapping[str, Mode], target: Mapping[str, Mode]
) -> list[SubscriptionRequest]:
    """Requests that lead from `current` to `target`; none concerns an unchanged instrument.

    Requests that free capacity come first.
    """
    removed = [key for key in current if key not in target]
    requests = split(Method.UNSUBSCRIBE, removed, None)
    for mode in _MODES:
        changed = [k for k, m in target.items() if m is mode and k in current and current[k] != m]
        requests += split(Method.CHANGE_MODE, changed, mode)
    for mode in _MODES:
        added = [k for k, m in target.items() if m is mode and k not in current]
        requests += split(Method.SUBSCRIBE, added, mode)
    return requests


def split(method: Method, keys: list[str], mode: Mode | None) -> list[SubscriptionRequest]:
    """Requests of as many keys as one message may have."""
    starts = range(0, len(keys), _MAX_KEYS)
    return [SubscriptionRequest(method, tuple(keys[at : at + _MAX_KEYS]), mode) for at in starts]
