"""Requests change the subscriptions of a client, within the quota of its user."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.feed.limits import SubscriptionQuota
from services.simulator.feed.modes import Mode
from services.simulator.feed.subscriptions import FeedRequest, FeedSubscriptions, parse_request

LISTED_KEYS = frozenset({"NSE_EQ|A", "NSE_EQ|B", "NSE_INDEX|Nifty 50"})


def request(method: str, *keys: str, mode: str | None = None) -> FeedRequest:
    data: dict[str, object] = {"instrumentKeys": list(keys)}
    if mode is not None:
        data["mode"] = mode
    parsed = parse_request(json.dumps({"guid": "g", "method": method, "data": data}).encode())
    assert parsed is not None
    return parsed


def test_the_default_mode_is_ltpc() -> None:
    subscriptions = FeedSubscriptions(LISTED_KEYS, SubscriptionQuota("plus"))
    assert subscriptions.apply(request("sub", "NSE_EQ|A")) == ["NSE_EQ|A"]
    assert subscriptions.modes == {"NSE_EQ|A": Mode.LTPC}


def test_unknown_keys_are_ignored() -> None:
    subscriptions = FeedSubscriptions(LISTED_KEYS, SubscriptionQuota("plus"))
    assert subscriptions.apply(request("sub", "NSE_EQ|Z", "NSE_EQ|B", mode="full")) == ["NSE_EQ|B"]


def test_a_repeated_subscription_is_not_a_change() -> None:
    subscriptions = FeedSubscriptions(LISTED_KEYS, SubscriptionQuota("plus"))
    subscriptions.apply(request("sub", "NSE_EQ|A", mode="full"))
    assert subscriptions.apply(request("sub", "NSE_EQ|A", "NSE_EQ|B", mode="full")) == ["NSE_EQ|B"]


def test_change_mode_applies_to_subscribed_keys_only() -> None:
    subscriptions = FeedSubscriptions(LISTED_KEYS, SubscriptionQuota("plus"))
    subscriptions.apply(request("sub", "NSE_EQ|A"))
    changed = subscriptions.apply(request("change_mode", "NSE_EQ|A", "NSE_EQ|B", mode="full_d30"))
    assert changed == ["NSE_EQ|A"]
    assert subscriptions.modes == {"NSE_EQ|A": Mode.FULL_D30}


def test_unsubscribing_ignores_keys_that_are_not_subscribed() -> None:
    subscriptions = FeedSubscriptions(LISTED_KEYS, SubscriptionQuota("plus"))
    subscriptions.apply(request("sub", "NSE_EQ|A", "NSE_EQ|B"))
    assert subscriptions.apply(request("unsub", "NSE_EQ|A", "NSE_INDEX|Nifty 50")) == []
    assert list(subscriptions.modes) == ["NSE_EQ|B"]


def test_instruments_beyond_a_limit_are_refused_and_counted() -> None:
    subscriptions = FeedSubscriptions(LISTED_KEYS, SubscriptionQuota("basic"))
    keys = ("NSE_EQ|A", "NSE_EQ|B")
    assert subscriptions.apply(request("sub", *keys, mode="full_d30")) == []
    assert (subscriptions.modes, subscriptions.refused) == ({}, 2)


def test_a_mode_change_beyond_a_limit_keeps_the_mode() -> None:
    subscriptions = FeedSubscriptions(LISTED_KEYS, SubscriptionQuota("basic"))
    subscriptions.apply(request("sub", "NSE_EQ|A", mode="full"))
    assert subscriptions.apply(request("change_mode", "NSE_EQ|A", mode="full_d30")) == []
    assert subscriptions.modes == {"NSE_EQ|A": Mode.FULL}


def test_a_client_that_ends_releases_its_share_of_the_quota() -> None:
    quota = SubscriptionQuota("plus")
    keys = frozenset(f"NSE_EQ|{number}" for number in range(50))
    first, second = FeedSubscriptions(keys, quota), FeedSubscriptions(keys, quota)
    assert len(first.apply(request("sub", *keys, mode="full_d30"))) == 50
    assert second.apply(request("sub", "NSE_EQ|7", mode="full_d30")) == []
    first.end()
    assert second.apply(request("sub", "NSE_EQ|7", mode="full_d30")) == ["NSE_EQ|7"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"method":"sub"}',
        b'{"method":"buy","data":{"instrumentKeys":[]}}',
        b'{"method":"sub","data":{"instrumentKeys":"NSE_EQ|A"}}',
        b'{"method":"sub","data":{"instrumentKeys":[],"mode":"everything"}}',
    ],
)
def test_an_invalid_request_is_ignored(data: bytes) -> None:
    assert parse_request(data) is None


@given(st.binary(max_size=200))
def test_parsing_never_raises(data: bytes) -> None:
    parse_request(data)
