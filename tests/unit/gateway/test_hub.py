"""The hub hands each quote to whoever wants it, and to nobody else."""

from services.gateway.hub import Hub
from services.gateway.outbox import Outbox


def outbox() -> Outbox:
    return Outbox(lambda: None)


def waiting(box: Outbox) -> bytes:
    return b"".join(box.take()[0])


def test_a_quote_goes_to_its_subscribers_only() -> None:
    hub, one, other = Hub(), outbox(), outbox()
    hub.subscribe("s1", one)
    hub.subscribe("s2", other)
    hub.publish("s1", b"1")
    assert b"[1]" in waiting(one)
    assert not len(other)


def test_a_subscription_brings_the_last_quote_at_once() -> None:
    hub, box = Hub(), outbox()
    hub.publish("s", b"1")
    hub.publish("s", b"2")
    assert hub.subscribe("s", box)
    assert b"[2]" in waiting(box)


def test_a_subscription_to_the_unknown_says_so_and_waits() -> None:
    hub, box = Hub(), outbox()
    assert not hub.subscribe("s", box)
    hub.publish("s", b"1")
    assert len(box) == 1


def test_subscribing_twice_delivers_once() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.subscribe("s", box)
    hub.publish("s", b"1")
    assert len(box) == 1


def test_nothing_is_delivered_after_unsubscribing() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.publish("s", b"1")
    hub.unsubscribe("s", box)
    hub.publish("s", b"2")
    hub.unsubscribe("s", box)
    assert not len(box)


def test_a_quote_from_the_past_never_replaces_a_live_one() -> None:
    hub, box = Hub(), outbox()
    hub.subscribe("s", box)
    hub.publish("s", b"2")
    hub.warm("s", b"1")
    assert b"[2]" in waiting(box)
    hub.warm("t", b"3")
    assert hub.instrument_count == 2
