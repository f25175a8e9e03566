"""Subscriptions are found by key and by wildcard."""

from tests.support.builders import KEY, OTHER_KEY
from tradedad_client.buffers import FifoBuffer
from tradedad_client.messages import Channel
from tradedad_client.routing import RoutingTable
from tradedad_client.subscription_state import SubscriptionState


def added(
    routes: RoutingTable,
    *keys: str,
    channel: Channel = Channel.QUOTES,
    interval_ms: int | None = None,
) -> SubscriptionState:
    subscription = SubscriptionState(channel, keys, FifoBuffer[object](9), interval_ms)
    routes.add(subscription)
    return subscription


def test_an_instrument_is_found_by_key_segment_and_wildcard() -> None:
    routes = RoutingTable()
    by_key, by_segment, everything = (added(routes, key) for key in (KEY, "NSE_EQ|*", "*"))
    added(routes, OTHER_KEY)
    added(routes, KEY, channel=Channel.DEPTH)
    found = list(routes.of_instrument(Channel.QUOTES, KEY))
    assert found == [by_key, by_segment, everything]


def test_removing_returns_the_keys_of_no_other_subscription() -> None:
    routes = RoutingTable()
    first, second = added(routes, KEY, "*"), added(routes, KEY)
    assert routes.remove(first) == ["*"]
    assert routes.remove(second) == [KEY]
    assert list(routes) == []
    assert list(routes.of_instrument(Channel.QUOTES, KEY)) == []


def test_a_channel_without_keys_is_released_by_its_name() -> None:
    routes = RoutingTable()
    first, second = (added(routes, channel=Channel.ORDERS) for _ in range(2))
    assert routes.of_channel(Channel.ORDERS) == [first, second]
    assert routes.remove(first) == []
    assert routes.remove(second) == ["orders"]


def test_a_subscription_may_be_removed_while_a_message_is_delivered() -> None:
    routes = RoutingTable()
    subscriptions = [added(routes, KEY) for _ in range(3)]
    for subscription in routes.of_instrument(Channel.QUOTES, KEY):
        routes.remove(subscription)
    assert not any(subscription in routes for subscription in subscriptions)


def test_the_interval_of_a_key_is_the_shortest_and_none_is_shorter_than_any() -> None:
    routes = RoutingTable()
    assert not routes.has_key(Channel.QUOTES, KEY)
    assert routes.interval_ms(Channel.QUOTES, KEY) is None
    added(routes, KEY, interval_ms=500)
    added(routes, KEY, interval_ms=200)
    added(routes, "*", interval_ms=100)
    added(routes, KEY, channel=Channel.DEPTH)
    assert routes.has_key(Channel.QUOTES, KEY)
    assert routes.interval_ms(Channel.QUOTES, KEY) == 200
    assert routes.interval_ms(Channel.QUOTES, "*") == 100
    added(routes, KEY)
    assert routes.interval_ms(Channel.QUOTES, KEY) is None


def test_clear_removes_all_subscriptions() -> None:
    routes = RoutingTable()
    subscription = added(routes, KEY)
    routes.clear()
    assert subscription not in routes
    assert routes.of_channel(Channel.QUOTES) == []
