"""All that a program wants is asked for on every stream, and nothing else is."""

import json
from typing import Any

import pytest

from services.gateway.fanout import channels, interest
from services.gateway.stream import replies
from shared.contracts.messages import encode
from shared.errors import InvalidField
from tests.support.builders import KEY, OTHER_KEY, quote
from tradedad_client.conversation import Conversation, Route
from tradedad_client.errors import NotUnderstood, SubscriptionRefused, TooSlow
from tradedad_client.mailbox import Every, Newest
from tradedad_client.messages import (
    Channel,
    Connected,
    Gap,
    OrderEvent,
    OutcomesChanged,
    Quote,
    Renewed,
)


def quotes_of(*keys: str, interval_ms: int | None = None) -> Route:
    mailbox = Newest[Quote](100, lambda one: one.key, lambda one: (one.epoch, one.seq))
    return Route(Channel.QUOTES, keys, mailbox, interval_ms)


def orders() -> Route:
    return Route(Channel.ORDERS, (), Every[Any](2))


def sent(conversation: Conversation) -> list[dict[str, Any]]:
    """What has to be sent, without the numbers."""
    requests = [json.loads(request) for request in conversation.requests]
    conversation.requests.clear()
    return [{k: v for k, v in request.items() if k != "id"} for request in requests]


def numbers(conversation: Conversation) -> list[int]:
    return [json.loads(request).get("id", 0) for request in conversation.requests]


def told(channel: str, *data: bytes, snapshot: bool = False) -> bytes:
    mark = b',"snapshot":true' if snapshot else b""
    return b'{"type":"%s"%s,"data":[%s]}' % (channel.encode(), mark, b",".join(data))


def live(conversation: Conversation) -> Conversation:
    conversation.begin("token")
    assert sent(conversation) == [{"op": "auth", "token": "token"}]
    conversation.take(replies.encode(replies.Authenticated("u", 99)))
    return conversation


SUBSCRIBE = {"op": "subscribe", "channel": "quotes"}
UNSUBSCRIBE = {"op": "unsubscribe", "channel": "quotes"}


def test_nothing_is_asked_for_before_the_token_was_accepted() -> None:
    conversation = Conversation()
    conversation.add(quotes_of(KEY))
    conversation.begin("token")
    assert sent(conversation) == [{"op": "auth", "token": "token"}]
    conversation.add(quotes_of(OTHER_KEY))
    assert sent(conversation) == []
    conversation.take(replies.encode(replies.Authenticated("u", 99)))
    assert conversation.is_live
    assert sent(conversation) == [SUBSCRIBE | {"keys": [KEY]}, SUBSCRIBE | {"keys": [OTHER_KEY]}]


def test_everything_is_asked_for_again_on_the_next_stream() -> None:
    conversation = live(Conversation())
    route, gone = quotes_of(KEY, OTHER_KEY), quotes_of("*")
    conversation.add(route)
    conversation.add(gone)
    conversation.remove(gone)
    conversation.lost()
    assert (conversation.is_live, route.is_answered) == (False, False)
    live(conversation)
    assert sent(conversation) == [SUBSCRIBE | {"keys": [KEY, OTHER_KEY]}]


def test_an_answer_of_a_stream_that_was_lost_answers_nothing() -> None:
    conversation = live(Conversation())
    route = quotes_of(KEY)
    conversation.add(route)
    (old,) = numbers(conversation)
    conversation.lost()
    sent(conversation)
    live(conversation)
    conversation.take(replies.encode(replies.Ack(old, {KEY: interest.Outcome.LIVE})))
    before = route.is_answered
    (new,) = numbers(conversation)
    conversation.take(replies.encode(replies.Ack(new, {KEY: interest.Outcome.PENDING})))
    assert (before, route.is_answered) == (False, True)
    assert route.outcomes == {KEY: "pending"}


def test_only_what_nobody_wants_any_more_is_given_back() -> None:
    conversation = live(Conversation())
    one, two = quotes_of(KEY), quotes_of(KEY, OTHER_KEY)
    conversation.add(one)
    conversation.add(two)
    sent(conversation)
    conversation.remove(two)
    assert sent(conversation) == [UNSUBSCRIBE | {"keys": [OTHER_KEY]}]
    conversation.remove(one)
    conversation.remove(one)
    assert sent(conversation) == [UNSUBSCRIBE | {"keys": [KEY]}]
    assert one.is_over
    assert one.failure is None


def test_the_shortest_interval_counts_for_the_channel() -> None:
    conversation = live(Conversation())
    slow, fast = quotes_of(KEY, interval_ms=1_000), quotes_of(OTHER_KEY, interval_ms=200)
    every = quotes_of(KEY)
    conversation.add(slow)
    conversation.add(fast)
    conversation.add(every)
    assert [one.get("interval_ms") for one in sent(conversation)] == [1_000, 200, None]
    conversation.remove(every)
    assert sent(conversation) == [SUBSCRIBE | {"keys": [KEY], "interval_ms": 200}]
    conversation.remove(fast)
    assert sent(conversation) == [
        UNSUBSCRIBE | {"keys": [OTHER_KEY]},
        SUBSCRIBE | {"keys": [KEY], "interval_ms": 1_000},
    ]
    conversation.remove(slow)
    assert sent(conversation) == [UNSUBSCRIBE | {"keys": [KEY]}]


def test_a_message_goes_to_all_that_asked_for_it_by_key_or_wildcard() -> None:
    conversation = live(Conversation())
    routes = {
        "key": quotes_of(KEY),
        "segment": quotes_of("NSE_EQ|*"),
        "other": quotes_of("NSE_INDEX|*", OTHER_KEY),
        "all": quotes_of("*", KEY),
    }
    for route in routes.values():
        conversation.add(route)
    conversation.take(told("quotes", encode(quote(seq=1)), encode(quote(seq=2))))
    waiting = {name: len(route.mailbox) for name, route in routes.items()}
    assert waiting == {"key": 2, "segment": 2, "other": 0, "all": 2}


def test_a_snapshot_after_a_reconnect_brings_only_what_is_newer() -> None:
    conversation = live(Conversation())
    route = quotes_of(KEY)
    conversation.add(route)
    conversation.take(told("quotes", encode(quote(epoch=2, seq=5))))
    first = route.mailbox.take()
    assert first is not None
    assert first.seq == 5
    conversation.lost()
    sent(conversation)
    live(conversation)
    conversation.take(told("quotes", encode(quote(epoch=2, seq=5)), snapshot=True))
    conversation.take(told("quotes", encode(quote(epoch=1, seq=9))))
    assert route.mailbox.take() is None
    conversation.take(told("quotes", encode(quote(epoch=2, seq=7)), snapshot=True))
    last = route.mailbox.take()
    assert last is not None
    assert (last.seq, last.snapshot) == (7, True)


def test_a_reconnect_is_a_gap_for_orders_and_the_first_connect_is_none() -> None:
    conversation = Conversation()
    route = orders()
    conversation.add(route)
    live(conversation)
    assert route.mailbox.take() is None
    conversation.lost()
    sent(conversation)
    live(conversation)
    assert route.mailbox.take() == Gap(Channel.ORDERS)
    conversation.take(replies.encode(replies.Gap(channels.Channel.ORDERS)))
    assert route.mailbox.take() == Gap(Channel.ORDERS)


def test_too_many_order_events_end_their_subscription_and_no_other() -> None:
    conversation = live(Conversation())
    route, other = orders(), quotes_of(KEY)
    conversation.add(route)
    conversation.add(other)
    sent(conversation)
    conversation.take(told("orders", b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":4}'))
    assert isinstance(route.failure, TooSlow)
    assert [route.mailbox.take() for _ in range(3)] == [
        OrderEvent({"n": 1}),
        OrderEvent({"n": 2}),
        None,
    ]
    assert sent(conversation) == [{"op": "unsubscribe", "channel": "orders"}]
    assert not other.is_over


def test_a_refused_request_ends_the_subscription_that_made_it() -> None:
    conversation = live(Conversation())
    good, bad = quotes_of(KEY), quotes_of("x" * 200)
    conversation.add(good)
    conversation.add(bad)
    _, number = numbers(conversation)
    failure = InvalidField("too long", field="keys[0]")
    conversation.take(replies.encode(replies.refusal(failure, number)))
    assert isinstance(bad.failure, SubscriptionRefused)
    assert (bad.failure.code, bad.failure.field) == ("invalid_field", "keys[0]")
    assert not good.is_over


def test_what_happens_to_the_stream_is_told() -> None:
    conversation = Conversation()
    listener = conversation.listen()
    live(conversation)
    conversation.take(replies.encode(replies.Authenticated("u", 199)))
    changed = {KEY: interest.Outcome.NO_CAPACITY}
    conversation.take(replies.encode(replies.Outcomes(channels.Channel.QUOTES, changed)))
    events = [listener.mailbox.take() for _ in range(4)]
    assert events == [
        Connected("u"),
        Renewed(199),
        OutcomesChanged(Channel.QUOTES, {KEY: "no_capacity"}),
        None,
    ]


def test_a_newer_token_is_wanted_when_the_gateway_warns_and_until_it_is_shown() -> None:
    conversation = live(Conversation())
    assert not conversation.wants_token
    conversation.take(replies.encode(replies.Expiring(99)))
    wanted = conversation.wants_token
    conversation.authenticate("newer")
    assert (wanted, conversation.wants_token) == (True, False)
    assert sent(conversation) == [{"op": "auth", "token": "newer"}]


def test_the_last_problem_is_remembered_until_the_next_stream() -> None:
    conversation = live(Conversation())
    conversation.take(b'{"type":"error","code":"revoked","detail":"ended"}')
    assert conversation.problem is not None
    assert conversation.problem.code == "revoked"
    conversation.begin("token")
    assert conversation.problem is None


def test_the_end_reaches_everybody() -> None:
    conversation = live(Conversation())
    route, listener = quotes_of(KEY), conversation.listen()
    woken: list[str] = []
    route.wake = lambda: woken.append("route")
    listener.wake = lambda: woken.append("listener")
    conversation.add(route)
    failure = TooSlow("no")
    conversation.end(failure)
    assert woken == ["route", "listener"]
    assert (route.failure, listener.failure) == (failure, failure)


def test_what_is_no_message_of_this_protocol_is_refused() -> None:
    with pytest.raises(NotUnderstood):
        live(Conversation()).take("hello")
