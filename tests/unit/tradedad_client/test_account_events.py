"""Events come once and in order: live ones, and by REST those that the stream did not bring."""

import asyncio
from typing import Any

import pytest

from tradedad_client.account_events import AccountEvents
from tradedad_client.backoff import Backoff
from tradedad_client.buffers import FifoBuffer
from tradedad_client.errors import (
    EventsMissing,
    NotUnderstood,
    Revoked,
    TooSlow,
    Unavailable,
    Unreachable,
)
from tradedad_client.messages import Channel, Gap, OrderEvent
from tradedad_client.subscription import Subscription
from tradedad_client.subscription_state import SubscriptionState
from tradedad_client.trading_messages import AccountEvent, Events

GAP = Gap(Channel.ORDERS)
WAIT_SECS = 10.0


class Account:
    """The stored events of a user, and the channel on which they are published."""

    def __init__(self, *, stored: int = 0, page_length: int = 2) -> None:
        self.seqs = list(range(1, stored + 1))
        self.last_seq = stored
        self.failures: list[Exception] = []
        self.reads: list[int] = []
        self._page_length = page_length
        self.channel = SubscriptionState(Channel.ORDERS, (), FifoBuffer[Any](100))
        self.channel.is_requested = True

    async def read_page(self, after: int) -> Events:
        self.reads.append(after)
        if self.failures:
            raise self.failures.pop(0)
        seqs = [seq for seq in self.seqs if seq > after][: self._page_length]
        events = [AccountEvent(seq=seq, kind="funds", at=seq) for seq in seqs]
        return Events(events=events, last_seq=self.last_seq)

    def store(self, *seqs: int) -> None:
        self.seqs += seqs
        self.last_seq = seqs[-1]

    def publish(self, *seqs: int) -> None:
        for seq in seqs:
            self.channel.put(OrderEvent({"seq": seq, "kind": "funds", "at": seq}))

    def happen(self, *seqs: int) -> None:
        """Events are stored, then published."""
        self.store(*seqs)
        self.publish(*seqs)

    def follow(self, after: int | None) -> AccountEvents:
        subscription = Subscription[Any](self.channel, lambda state: state.close())
        no_pause = Backoff(0.0, 0.0)
        return AccountEvents(subscription, self.read_page, after, no_pause)


async def seqs(events: AccountEvents, count: int) -> list[int]:
    async with asyncio.timeout(WAIT_SECS):
        return [(await anext(events)).seq for _ in range(count)]


async def test_stored_events_come_page_by_page_before_live_ones() -> None:
    account = Account(stored=5)
    events = account.follow(1)
    account.happen(6)
    assert await seqs(events, 5) == [2, 3, 4, 5, 6]
    account.happen(7, 8)
    assert await seqs(events, 2) == [7, 8]
    assert account.reads == [1, 3, 5]
    assert events.last_seq == 8


async def test_without_a_number_only_events_after_the_newest_come() -> None:
    account = Account(stored=5)
    events = account.follow(None)
    await events.ready()
    account.happen(6)
    assert await seqs(events, 1) == [6]


async def test_an_event_that_comes_live_and_by_rest_is_delivered_once() -> None:
    account = Account()
    events = account.follow(0)
    account.happen(1, 2)
    account.publish(2)
    account.happen(3)
    assert await seqs(events, 3) == [1, 2, 3]


@pytest.mark.parametrize("lost", [1, 5])
async def test_events_that_are_skipped_are_read_by_rest(lost: int) -> None:
    account = Account()
    events = account.follow(0)
    account.happen(1)
    assert await seqs(events, 1) == [1]
    account.store(*range(2, 2 + lost))
    account.happen(2 + lost, 3 + lost)
    assert await seqs(events, lost + 2) == list(range(2, 4 + lost))


async def test_after_a_gap_events_are_read_although_no_later_one_came() -> None:
    account = Account(stored=1)
    events = account.follow(0)
    assert await seqs(events, 1) == [1]
    account.store(2)
    account.channel.put(GAP)
    assert await seqs(events, 1) == [2]


async def test_the_iteration_waits_while_events_cannot_be_read() -> None:
    account = Account(stored=2)
    account.failures = [Unavailable("no answer"), Unreachable("closed")]
    assert await seqs(account.follow(0), 2) == [1, 2]
    assert account.reads == [0, 0, 0]


async def test_an_event_that_is_counted_but_not_readable_yet_is_waited_for() -> None:
    account = Account(stored=1)
    account.last_seq = 2

    async def read_page(after: int) -> Events:
        if len(account.reads) == 3:
            account.seqs.append(2)
        return await Account.read_page(account, after)

    account.read_page = read_page  # type: ignore[method-assign]
    assert await seqs(account.follow(0), 2) == [1, 2]


@pytest.mark.parametrize(
    ("stored", "last_seq", "after"),
    [([1, 4], 4, 1), ([1, 2, 4], 4, 1), ([1], 3, 1), ([1, 2], 2, 9)],
    ids=["expired", "expired within a page", "none is stored", "of another database"],
)
async def test_events_that_are_not_stored_are_reported(
    stored: list[int], last_seq: int, after: int
) -> None:
    account = Account()
    account.seqs, account.last_seq = stored, last_seq
    events = account.follow(after)
    with pytest.raises(EventsMissing) as raised:
        await seqs(events, 3)
    assert raised.value.after == after


async def test_the_iteration_ends_as_the_subscription_does() -> None:
    account = Account(stored=1)
    events = account.follow(0)
    account.happen(2)
    assert await seqs(events, 1) == [1]
    events.close()
    assert [event.seq async for event in events] == [2]
    with pytest.raises(StopAsyncIteration):
        await anext(events)


@pytest.mark.parametrize("is_behind", [False, True])
async def test_the_error_of_the_subscription_is_raised(is_behind: bool) -> None:
    account = Account()
    events = account.follow(0)
    account.happen(1)
    assert await seqs(events, 1) == [1]
    if is_behind:
        account.publish(5)
    account.channel.close(TooSlow("too slow"))
    with pytest.raises(TooSlow):
        await seqs(events, 1)
    assert events.last_seq == 1


async def test_a_refusal_of_rest_is_raised() -> None:
    account = Account()
    account.failures = [Revoked("revoked")]
    with pytest.raises(Revoked):
        await seqs(account.follow(0), 1)


async def test_an_invalid_event_is_reported() -> None:
    account = Account()
    events = account.follow(0)
    account.channel.put(OrderEvent({"seq": "1"}))
    with pytest.raises(NotUnderstood, match="invalid order event"):
        await seqs(events, 1)
