"""What a client holds changes by whole requests, and within its limit."""

import pytest

from services.gateway.coverage import Interest
from services.gateway.flush import Flusher
from services.gateway.hub import Hub
from services.gateway.outbox import Outbox
from services.gateway.protocol import Channel, Outcome, Subscribe, Unsubscribe
from services.gateway.subscriptions import Subscriptions
from shared.errors import InvalidField, LimitExceeded
from tests.support.builders import KEY, OTHER_KEY

MOST = 3


@pytest.fixture
async def hub() -> Hub:
    return Hub(max_age_secs=2.0)


@pytest.fixture
async def held(hub: Hub) -> Subscriptions:
    flusher = Flusher(hub, longest_ms=20, buffer_bytes=65_536, blocked_secs=15, max_age_secs=2)
    outbox = Outbox(write=lambda _: None, unsent=lambda: 0)
    return Subscriptions(hub, flusher, Interest("gw"), outbox, MOST)


def add(held: Subscriptions, channel: Channel, *keys: str) -> dict[str, Outcome]:
    return held.add(Subscribe(1, channel, list(keys)), "user-1", 0.0)


async def test_a_request_that_is_too_much_adds_nothing(held: Subscriptions, hub: Hub) -> None:
    add(held, Channel.QUOTES, KEY)
    with pytest.raises(LimitExceeded) as caught:
        add(held, Channel.DEPTH, KEY, OTHER_KEY, "NSE_EQ|A")
    assert caught.value.field == "keys"
    assert not held.holds(Channel.DEPTH)
    assert hub.wanted(Channel.DEPTH) == []
    assert add(held, Channel.DEPTH, KEY, OTHER_KEY)[KEY] is Outcome.PENDING


async def test_what_is_held_already_counts_once(held: Subscriptions) -> None:
    for _ in range(2):
        add(held, Channel.QUOTES, KEY, OTHER_KEY, "NSE_EQ|A")


async def test_depth_has_no_wildcards(held: Subscriptions) -> None:
    with pytest.raises(InvalidField):
        add(held, Channel.DEPTH, "NSE_EQ|*")


async def test_outcomes_concern_who_asked_by_key(held: Subscriptions) -> None:
    add(held, Channel.QUOTES, KEY, "*")
    add(held, Channel.BARS, KEY)
    changed = {KEY: Outcome.LIVE, OTHER_KEY: Outcome.UNKNOWN}
    assert dict(held.concerned(changed)) == {
        Channel.QUOTES: {KEY: Outcome.LIVE},
        Channel.BARS: {KEY: Outcome.LIVE},
    }


async def test_what_was_not_held_is_unknown_when_it_is_given_back(held: Subscriptions) -> None:
    add(held, Channel.ORDERS)
    assert held.holds(Channel.ORDERS)
    assert held.remove(Unsubscribe(2, Channel.ORDERS)) == {"orders": Outcome.REMOVED}
    assert held.remove(Unsubscribe(3, Channel.ORDERS)) == {"orders": Outcome.UNKNOWN}
    assert held.remove(Unsubscribe(4, Channel.QUOTES, [KEY])) == {KEY: Outcome.UNKNOWN}
    assert not held.holds(Channel.ORDERS)


async def test_the_end_gives_everything_back(held: Subscriptions, hub: Hub) -> None:
    add(held, Channel.QUOTES, KEY, "*")
    held.end()
    assert hub.wanted(Channel.QUOTES) == []
    assert not held.holds(Channel.QUOTES)
