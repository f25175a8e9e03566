"""Requests change what a client listens to, and nothing else does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.feed.limits import Quota
from services.simulator.feed.modes import Mode
from services.simulator.feed.subscriptions import FeedSubscriptions, Request, parse

KNOWN = frozenset({"NSE_EQ|A", "NSE_EQ|B", "NSE_INDEX|Nifty 50"})


def request(method: str, *keys: str, mode: str | None = None) -> Request:
    data: dict[str, object] = {"instrumentKeys": list(keys)}
    if mode is not None:
        data["mode"] = mode
    parsed = parse(json.dumps({"guid": "g", "method": method, "data": data}).encode())
    assert parsed is not None
    return parsed


def test_mode_is_ltpc_unless_asked_for() -> None:
    subscriptions = FeedSubscriptions(KNOWN, Quota("plus"))
    assert subscriptions.apply(request("sub", "NSE_EQ|A")) == ["NSE_EQ|A"]
    assert subscriptions.modes == {"NSE_EQ|A": Mode.LTPC}


def test_unknown_keys_are_passed_over() -> None:
    subscriptions = FeedSubscriptions(KNOWN, Quota("plus"))
    assert subscriptions.apply(request("sub", "NSE_EQ|Z", "NSE_EQ|B", mode="full")) == ["NSE_EQ|B"]


def test_same_subscription_again_is_not_fresh() -> None:
    subscriptions = FeedSubscriptions(KNOWN, Quota("plus"))
    subscriptions.apply(request("sub", "NSE_EQ|A", mode="full"))
    assert subscriptions.apply(request("sub", "NSE_EQ|A", "NSE_EQ|B", mode="full")) == ["NSE_EQ|B"]


def test_mode_changes_only_for_what_is_subscribed() -> None:
    subscriptions = FeedSubscriptions(KNOWN, Quota("plus"))
    subscriptions.apply(request("sub", "NSE_EQ|A"))
    fresh = subscriptions.apply(request("change_mode", "NSE_EQ|A", "NSE_EQ|B", mode="full_d30"))
    assert fresh == ["NSE_EQ|A"]
    assert subscriptions.modes == {"NSE_EQ|A": Mode.FULL_D30}


def test_unsubscribing_forgets_a_key_and_does_not_mind_a_missing_one() -> None:
    subscriptions = FeedSubscriptions(KNOWN, Quota("plus"))
    subscriptions.apply(request("sub", "NSE_EQ|A", "NSE_EQ|B"))
    assert subscriptions.apply(request("unsub", "NSE_EQ|A", "NSE_INDEX|Nifty 50")) == []
    assert list(subscriptions.modes) == ["NSE_EQ|B"]


def test_what_is_beyond_a_limit_is_not_subscribed_and_counted() -> None:
    subscriptions = FeedSubscriptions(KNOWN, Quota("basic"))
    keys = ("NSE_EQ|A", "NSE_EQ|B")
    assert subscriptions.apply(request("sub", *keys, mode="full_d30")) == []
    assert (subscriptions.modes, subscriptions.refused) == ({}, 2)


def test_change_beyond_a_limit_leaves_the_mode_as_it_was() -> None:
    subscriptions = FeedSubscriptions(KNOWN, Quota("basic"))
    subscriptions.apply(request("sub", "NSE_EQ|A", mode="full"))
    assert subscriptions.apply(request("change_mode", "NSE_EQ|A", mode="full_d30")) == []
    assert subscriptions.modes == {"NSE_EQ|A": Mode.FULL}


def test_client_that_goes_gives_its_share_back() -> None:
    quota = Quota("plus")
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
def test_what_is_not_a_request_is_ignored(data: bytes) -> None:
    assert parse(data) is None


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    parse(data)
