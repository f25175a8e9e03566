"""Routing table from channels and keys to subscriptions. Pure."""

from collections.abc import Iterator

from tradedad_client.messages import EVERYTHING, Channel
from tradedad_client.subscription_state import SubscriptionState


class RoutingTable:
    """All open subscriptions, in the order in which they were added."""

    def __init__(self) -> None:
        self._subscriptions: dict[SubscriptionState, None] = {}
        self._by_key: dict[tuple[Channel, str], list[SubscriptionState]] = {}

    def __contains__(self, subscription: SubscriptionState) -> bool:
        return subscription in self._subscriptions

    def __iter__(self) -> Iterator[SubscriptionState]:
        return iter(self._subscriptions)

    def add(self, subscription: SubscriptionState) -> None:
        """Add a subscription."""
        self._subscriptions[subscription] = None
        for key in _keys(subscription):
            self._by_key.setdefault((subscription.channel, key), []).append(subscription)

    def remove(self, subscription: SubscriptionState) -> list[str]:
        """Remove a subscription; return its keys that no other subscription contains.

        For a channel without keys, the key is the channel's name.
        """
        del self._subscriptions[subscription]
        released = []
        for key in _keys(subscription):
            others = self._by_key[subscription.channel, key]
            others.remove(subscription)
            if not others:
                del self._by_key[subscription.channel, key]
                released.append(key)
        return released

    def clear(self) -> None:
        """Remove all subscriptions."""
        self._subscriptions.clear()
        self._by_key.clear()

    def of_channel(self, channel: Channel) -> list[SubscriptionState]:
        """Return the subscriptions of a channel."""
        return [other for other in self._subscriptions if other.channel is channel]

    def of_instrument(self, channel: Channel, key: str) -> Iterator[SubscriptionState]:
        """Yield the subscriptions that contain an instrument, by key or by wildcard.

        A subscription that contains the instrument more than once is yielded more than once.
        """
        segment, _, _ = key.partition("|")
        for pattern in (key, f"{segment}|{EVERYTHING}", EVERYTHING):
            yield from tuple(self._by_key.get((channel, pattern), ()))

    def has_key(self, channel: Channel, key: str) -> bool:
        """Whether a subscription contains this key or wildcard."""
        return (channel, key) in self._by_key

    def interval_ms(self, channel: Channel, key: str) -> int | None:
        """Return the shortest interval of the subscriptions to a key or wildcard.

        The gateway has one interval for each. None means every message, and is shorter than any
        interval.
        """
        intervals = [other.interval_ms for other in self._by_key.get((channel, key), ())]
        return None if None in intervals else min(filter(None, intervals), default=None)


def _keys(subscription: SubscriptionState) -> tuple[str, ...]:
    return subscription.keys or (subscription.channel,)
