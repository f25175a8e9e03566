"""The hub hands each quote to whoever wants it, newest last, and to nobody else."""

import json

import pytest

from services.gateway.hub import Hub
from services.gateway.outbox import Outbox
from shared.messages import encode
from tests.support.builders import quote


def outbox() -> Outbox:
    return Outbox(lambda: None)


def coded(seq: int, epoch: int = 1) -> bytes:
    return encode(quote(seq=seq, epoch=epoch))


def waiting(box: Outbox) -> list[tuple[int, int]]:
    """(epoch, seq) of each quote that waits."""
    quotes = [q for message in box.take()[0] for q in json.loads(message)["data"]]
    return [(q["epoch"], q["seq"]) for q in quotes]


def test_a_quote_goes_to_its_subscribers_only() -> None:
    hub, one, other = Hub(), outbox(), outbox()
    hub.subscribe("s1", one)
    hub.subscribe("s2", other)
    hub.publish("s1", coded(1))
    assert waiting(one) == [(1, 1)]
    assert waiting(other) == []


def test_a_subscription_brings_the_last_quote_at_once() -> None:
    hub, box = Hub(), outbox()
    hub.publish("s", coded(1))
    hub.publish("s", coded(2))
    assert hub.subscribe("s", box)
    assert waiting(box) == [(1, 2)]


def test_a_subscription_to_the_unknown_says_so_and_waits() -> None:
    hub, box = Hub(), outbox()
    assert not hub.subscribe("s", box)
    hub.publish("s", coded(1))
    assert waiting(box) == [(1, 1)]


def test_subscribing_twice_delivers_once() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.subscribe("s", box)
    hub.publish("s", coded(1))
    assert waiting(box) == [(1, 1)]


def test_nothing_is_delivered_after_unsubscribing() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.publish("s", coded(1))
    hub.unsubscribe("s", box)
    hub.publish("s", coded(2))
    hub.unsubscribe("s", box)
    assert waiting(box) == []


def test_a_kept_quote_counts_only_if_it_is_newer() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.publish("s", coded(2))
    hub.warm("s", coded(1))
    assert waiting(box) == [(1, 2)]
    hub.warm("s", coded(3))
    hub.warm("t", coded(1))
    assert waiting(box) == [(1, 3)]
    assert hub.instrument_count == 2


def test_a_repeated_or_older_quote_is_not_passed_on() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.publish("s", coded(2))
    waiting(box)
    hub.publish("s", coded(2))
    hub.publish("s", coded(1))
    assert waiting(box) == []


def test_nothing_of_a_superseded_leader_is_passed_on() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.subscribe("t", box)
    hub.publish("s", coded(1, epoch=9))
    hub.publish("t", coded(50, epoch=8))
    assert waiting(box) == [(9, 1)]


def test_what_is_no_quote_is_refused() -> None:
    with pytest.raises(ValueError):
        Hub().publish("s", b'{"type":"nonsense"}')
