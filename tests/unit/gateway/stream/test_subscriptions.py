"""What a client holds changes by whole requests, and within its limit."""

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

MOST = 8


@pytest.fixture
async def hub() -> Hub:
    return Hub(max_age_secs=2.0)


@pytest.fixture
async def held(hub: Hub) -> StreamSubscriptions:
    flusher = Flusher(hub, longest_ms=20, buffer_bytes=65_536, blocked_secs=15, max_age_secs=2)
    outbox = Outbox(write=lambda _: None, unsent=lambda: 0, framing=JsonFraming())
    return StreamSubscriptions(hub, flusher, Interest("gw"), outbox, MOST)


def publish(hub: Hub, key: str) -> None:
    hub.publish(Channel.QUOTES, quote_subject(key), encode(quote(key=key)), 0)


def add(held: StreamSubscriptions, channel: Channel, *keys: str) -> dict[str, Outcome]:
    return held.subscribe(Subscribe(1, channel, list(keys)), "user-1", 0.0)


async def test_a_request_that_is_too_much_adds_nothing(held: StreamSubscriptions, hub: Hub) -> None:
    add(held, Channel.QUOTES, KEY)
    with pytest.raises(LimitExceeded) as caught:
        add(held, Channel.DEPTH, *(f"NSE_EQ|{number}" for number in range(MOST)))
    assert caught.value.field == "keys"
    assert not held.has_any(Channel.DEPTH)
    assert hub.subscribed_keys(Channel.DEPTH) == []
    assert add(held, Channel.DEPTH, KEY, OTHER_KEY)[KEY] is Outcome.PENDING


async def test_what_is_held_already_counts_once(held: StreamSubscriptions, hub: Hub) -> None:
    publish(hub, KEY)
    for _ in range(2):
        add(held, Channel.QUOTES, KEY, OTHER_KEY, "NSE_EQ|A", "*", "NSE_EQ|*")


async def test_depth_has_no_wildcards(held: StreamSubscriptions) -> None:
    with pytest.raises(InvalidField):
        add(held, Channel.DEPTH, "NSE_EQ|*")


async def test_outcomes_concern_who_asked_by_key(held: StreamSubscriptions) -> None:
    add(held, Channel.QUOTES, KEY, "*")
    add(held, Channel.BARS, KEY)
    changed = {KEY: Outcome.LIVE, OTHER_KEY: Outcome.UNKNOWN}
    assert dict(held.affected(changed)) == {
        Channel.QUOTES: {KEY: Outcome.LIVE},
        Channel.BARS: {KEY: Outcome.LIVE},
    }


async def test_what_was_not_held_is_unknown_when_it_is_given_back(
    held: StreamSubscriptions,
) -> None:
    add(held, Channel.ORDERS)
    assert held.has_any(Channel.ORDERS)
    assert held.unsubscribe(Unsubscribe(2, Channel.ORDERS)) == {"orders": Outcome.REMOVED}
    assert held.unsubscribe(Unsubscribe(3, Channel.ORDERS)) == {"orders": Outcome.UNKNOWN}
    assert held.unsubscribe(Unsubscribe(4, Channel.QUOTES, [KEY])) == {KEY: Outcome.UNKNOWN}
    assert not held.has_any(Channel.ORDERS)


async def test_what_is_counted_goes_back_to_nothing_whatever_came_meanwhile(
    held: StreamSubscriptions, hub: Hub
) -> None:
    def counted() -> float | None:
        return REGISTRY.get_sample_value("tradedad_gateway_subscriptions", {"channel": "quotes"})

    metrics.SUBSCRIPTIONS.labels("quotes").set(0)
    add(held, Channel.QUOTES, KEY, "*", "NSE_INDEX|*")
    assert counted() == 3
    publish(hub, KEY)
    publish(hub, OTHER_KEY)
    held.unsubscribe(Unsubscribe(2, Channel.QUOTES, ["*", "NOT|HELD"]))
    assert counted() == 2
    held.close()
    assert counted() == 0


async def test_the_end_gives_everything_back(held: StreamSubscriptions, hub: Hub) -> None:
    add(held, Channel.QUOTES, KEY, "*")
    held.close()
    assert hub.subscribed_keys(Channel.QUOTES) == []
    assert not held.has_any(Channel.QUOTES)


async def test_a_wildcard_of_a_segment_that_was_never_heard_of_is_unknown_until_it_is(
    held: StreamSubscriptions, hub: Hub
) -> None:
    everything = {"*": Outcome.LIVE}
    assert add(held, Channel.QUOTES, "NSE_EQ|*", "*") == {"NSE_EQ|*": Outcome.UNKNOWN} | everything
    publish(hub, KEY)
    assert add(held, Channel.BARS, "NSE_EQ|*", "*") == {"NSE_EQ|*": Outcome.LIVE} | everything


async def test_wildcards_count_though_they_stand_for_nothing(held: StreamSubscriptions) -> None:
    with pytest.raises(LimitExceeded):
        add(held, Channel.QUOTES, *(f"S{number}|*" for number in range(MOST + 1)))
    assert not held.has_any(Channel.QUOTES)


async def test_a_request_reaches_as_far_as_its_keys_and_wildcards(
    held: StreamSubscriptions, hub: Hub
) -> None:
    publish(hub, KEY)
    publish(hub, OTHER_KEY)
    keys = [KEY, KEY, "NSE_EQ|NEW", "*", "*", "MCX_FO|*"]
    assert held.instrument_count(Subscribe(1, Channel.QUOTES, keys)) == 4
    assert held.instrument_count(Unsubscribe(2, Channel.QUOTES, ["*"])) == 2
    assert held.instrument_count(Subscribe(3, Channel.ORDERS)) == 0
