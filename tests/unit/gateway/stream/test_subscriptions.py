"""The subscriptions of one client: limits, outcomes and the subscription metric."""

import pytest
from prometheus_client import REGISTRY

from services.gateway import metrics
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest, Outcome
from services.gateway.fanout.outbox import Outbox
from services.gateway.stream.json_framing import JsonFraming
from services.gateway.stream.protocol import Subscribe, Unsubscribe
from services.gateway.stream.subscriptions import StreamSubscriptions
from shared.contracts.messages import encode
from shared.contracts.subjects import quote_subject
from shared.errors import InvalidField, LimitExceeded
from tests.support.builders import KEY, OTHER_KEY, quote

LIMIT = 8


@pytest.fixture
async def hub() -> Hub:
    return Hub(max_age_secs=2.0)


@pytest.fixture
async def subscriptions(hub: Hub) -> StreamSubscriptions:
    flusher = Flusher(
        hub, longest_ms=20, buffer_bytes=65_536, blocked_secs=15, max_age_secs=2, now_us=lambda: 0
    )
    outbox = Outbox(write=lambda _: None, unsent=lambda: 0, framing=JsonFraming())
    return StreamSubscriptions(hub, flusher, Interest("gw"), outbox, LIMIT)


def publish(hub: Hub, key: str) -> None:
    hub.publish(Channel.QUOTES, quote_subject(key), encode(quote(key=key)), 0)


def subscribe(
    subscriptions: StreamSubscriptions, channel: Channel, *keys: str
) -> dict[str, Outcome]:
    return subscriptions.subscribe(Subscribe(1, channel, list(keys)), "user-1", 0.0)


async def test_a_request_beyond_the_limit_subscribes_to_nothing(
    subscriptions: StreamSubscriptions, hub: Hub
) -> None:
    subscribe(subscriptions, Channel.QUOTES, KEY)
    with pytest.raises(LimitExceeded) as caught:
        subscribe(subscriptions, Channel.DEPTH, *(f"NSE_EQ|{number}" for number in range(LIMIT)))
    assert caught.value.field == "keys"
    assert not subscriptions.has_any(Channel.DEPTH)
    assert hub.subscribed_keys(Channel.DEPTH) == []
    assert subscribe(subscriptions, Channel.DEPTH, KEY, OTHER_KEY)[KEY] is Outcome.PENDING


async def test_a_repeated_subscription_counts_once(
    subscriptions: StreamSubscriptions, hub: Hub
) -> None:
    publish(hub, KEY)
    for _ in range(2):
        subscribe(subscriptions, Channel.QUOTES, KEY, OTHER_KEY, "NSE_EQ|A", "*", "NSE_EQ|*")


async def test_a_wildcard_of_depth_is_refused(subscriptions: StreamSubscriptions) -> None:
    with pytest.raises(InvalidField):
        subscribe(subscriptions, Channel.DEPTH, "NSE_EQ|*")


async def test_outcomes_are_reported_for_keys_and_not_for_wildcards(
    subscriptions: StreamSubscriptions,
) -> None:
    subscribe(subscriptions, Channel.QUOTES, KEY, "*")
    subscribe(subscriptions, Channel.BARS, KEY)
    changed = {KEY: Outcome.LIVE, OTHER_KEY: Outcome.UNKNOWN}
    assert dict(subscriptions.affected(changed)) == {
        Channel.QUOTES: {KEY: Outcome.LIVE},
        Channel.BARS: {KEY: Outcome.LIVE},
    }


async def test_unsubscribing_without_a_subscription_is_reported_as_unknown(
    subscriptions: StreamSubscriptions,
) -> None:
    subscribe(subscriptions, Channel.ORDERS)
    assert subscriptions.has_any(Channel.ORDERS)
    assert subscriptions.unsubscribe(Unsubscribe(2, Channel.ORDERS)) == {"orders": Outcome.REMOVED}
    assert subscriptions.unsubscribe(Unsubscribe(3, Channel.ORDERS)) == {"orders": Outcome.UNKNOWN}
    assert subscriptions.unsubscribe(Unsubscribe(4, Channel.QUOTES, [KEY])) == {
        KEY: Outcome.UNKNOWN
    }
    assert not subscriptions.has_any(Channel.ORDERS)


async def test_the_subscription_metric_returns_to_zero(
    subscriptions: StreamSubscriptions, hub: Hub
) -> None:
    def metric() -> float | None:
        return REGISTRY.get_sample_value("tradedad_gateway_subscriptions", {"channel": "quotes"})

    metrics.SUBSCRIPTIONS.labels("quotes").set(0)
    subscribe(subscriptions, Channel.QUOTES, KEY, "*", "NSE_INDEX|*")
    assert metric() == 3
    publish(hub, KEY)
    publish(hub, OTHER_KEY)
    subscriptions.unsubscribe(Unsubscribe(2, Channel.QUOTES, ["*", "NOT|SUBSCRIBED"]))
    assert metric() == 2
    subscriptions.close()
    assert metric() == 0


async def test_closing_ends_all_subscriptions(subscriptions: StreamSubscriptions, hub: Hub) -> None:
    subscribe(subscriptions, Channel.QUOTES, KEY, "*")
    subscriptions.close()
    assert hub.subscribed_keys(Channel.QUOTES) == []
    assert not subscriptions.has_any(Channel.QUOTES)


async def test_a_wildcard_is_unknown_until_its_segment_has_a_quote(
    subscriptions: StreamSubscriptions, hub: Hub
) -> None:
    outcomes = subscribe(subscriptions, Channel.QUOTES, "NSE_EQ|*", "*")
    assert outcomes == {"NSE_EQ|*": Outcome.UNKNOWN, "*": Outcome.LIVE}
    publish(hub, KEY)
    outcomes = subscribe(subscriptions, Channel.BARS, "NSE_EQ|*", "*")
    assert outcomes == {"NSE_EQ|*": Outcome.LIVE, "*": Outcome.LIVE}


async def test_a_wildcard_without_instruments_counts_towards_the_limit(
    subscriptions: StreamSubscriptions,
) -> None:
    with pytest.raises(LimitExceeded):
        subscribe(subscriptions, Channel.QUOTES, *(f"S{number}|*" for number in range(LIMIT + 1)))
    assert not subscriptions.has_any(Channel.QUOTES)


async def test_the_instrument_count_includes_instruments_that_wildcards_match(
    subscriptions: StreamSubscriptions, hub: Hub
) -> None:
    publish(hub, KEY)
    publish(hub, OTHER_KEY)
    keys = [KEY, KEY, "NSE_EQ|NEW", "*", "*", "MCX_FO|*"]
    assert subscriptions.instrument_count(Subscribe(1, Channel.QUOTES, keys)) == 4
    assert subscriptions.instrument_count(Unsubscribe(2, Channel.QUOTES, ["*"])) == 2
    assert subscriptions.instrument_count(Subscribe(3, Channel.ORDERS)) == 0


async def test_a_chain_costs_as_many_requests_as_its_instruments(
    subscriptions: StreamSubscriptions,
) -> None:
    chain = f"{OTHER_KEY}|2026-12-01|10"
    assert subscribe(subscriptions, Channel.CHAIN, chain) == {chain: Outcome.PENDING}
    assert subscriptions.instrument_count(Subscribe(1, Channel.CHAIN, [chain])) == 43
    assert subscriptions.instrument_count(Subscribe(1, Channel.CHAIN, ["nonsense"])) == 1


@pytest.mark.parametrize("key", [OTHER_KEY, f"{OTHER_KEY}|2026-12-01|51", "*", f"{KEY}|*"])
async def test_a_malformed_key_of_a_chain_is_refused_with_the_rule(
    subscriptions: StreamSubscriptions, key: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        subscribe(subscriptions, Channel.CHAIN, f"{OTHER_KEY}|2026-12-01|5", key)
    assert (caught.value.field, subscriptions.has_any(Channel.CHAIN)) == ("keys", False)
