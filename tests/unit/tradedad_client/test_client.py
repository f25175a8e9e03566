"""A client says at once what is wrong with how it is made."""

from typing import Any

import pytest

from tradedad_client import Client

WHO: dict[str, Any] = {"email": "ann@example.com", "password": "correct horse battery"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:7400", "http://127.0.0.1:7400"),
        ("wss://prices.example.com/ws", "https://prices.example.com"),
        ("ws://prices.example.com/", "http://prices.example.com"),
    ],
)
def test_the_address_may_be_that_of_the_gateway_or_of_its_stream(url: str, shown: str) -> None:
    assert Client(url, token="t").url == shown


@pytest.mark.parametrize("url", ["", "127.0.0.1:7400", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Client(url, token="t")


@pytest.mark.parametrize(
    "who", [{}, {"email": "a"}, {"password": "p"}, WHO | {"token": "t"}], ids=str
)
def test_one_has_to_say_in_one_way_who_one_is(who: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="email and password"):
        Client("http://x", **who)


def test_nothing_secret_is_in_its_repr() -> None:
    assert repr(Client("http://x", **WHO)) == "Client('http://x', not live)"
    assert "secret" not in repr(Client("http://x", token="secret"))


def test_subscribing_outside_the_block_is_told() -> None:
    with pytest.raises(RuntimeError, match="within `async with`"):
        Client("http://x", token="t").quotes(["NSE_EQ|INE002A01018"])


def test_a_lone_key_is_not_taken_for_a_list() -> None:
    with pytest.raises(TypeError, match="a list of instrument keys"):
        Client("http://x", token="t").quotes("NSE_EQ|INE002A01018")
    with pytest.raises(ValueError, match="names no instrument"):
        Client("http://x", token="t").quotes([])
