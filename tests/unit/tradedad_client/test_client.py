"""Invalid arguments of a client are refused when it is made."""

from typing import Any

import pytest

from tradedad_client import Client

CREDENTIALS: dict[str, Any] = {"email": "ann@example.com", "password": "correct horse battery"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:7400", "http://127.0.0.1:7400"),
        ("wss://prices.example.com/ws", "https://prices.example.com"),
        ("ws://prices.example.com/", "http://prices.example.com"),
    ],
)
def test_the_url_may_be_that_of_the_gateway_or_of_its_stream(url: str, expected: str) -> None:
    assert Client(url, token="t").url == expected


@pytest.mark.parametrize("url", ["", "127.0.0.1:7400", "ftp://x", "http://"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http, https, ws or wss address"):
        Client(url, token="t")


@pytest.mark.parametrize(
    "credentials",
    [{}, {"email": "a"}, {"password": "p"}, CREDENTIALS | {"token": "t"}],
    ids=str,
)
def test_exactly_one_kind_of_credentials_is_required(credentials: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="email and password"):
        Client("http://x", **credentials)


def test_the_repr_contains_no_secret() -> None:
    assert repr(Client("http://x", **CREDENTIALS)) == "Client('http://x', not live)"
    assert "secret" not in repr(Client("http://x", token="secret"))


def test_subscribing_outside_the_async_with_block_is_refused() -> None:
    with pytest.raises(RuntimeError, match="within `async with`"):
        Client("http://x", token="t").quotes(["NSE_EQ|INE002A01018"])


def test_instruments_must_be_a_list_that_is_not_empty() -> None:
    with pytest.raises(TypeError, match="give a list of instruments"):
        Client("http://x", token="t").quotes("NSE_EQ|INE002A01018")
    with pytest.raises(ValueError, match="at least one instrument"):
        Client("http://x", token="t").quotes([])


async def test_parts_outside_the_async_with_block_are_refused() -> None:
    client = Client("http://x", token="t")
    for use in (lambda: client.instruments, lambda: client.trading):
        with pytest.raises(RuntimeError, match="within `async with`"):
            use()
    with pytest.raises(RuntimeError, match="within `async with`"):
        await client.system_status()


def test_address_and_credentials_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRADEDAD_CLIENT_URL", "https://prices.example.com")
    monkeypatch.setenv("TRADEDAD_CLIENT_TOKEN", "t")
    assert Client.from_environment().url == "https://prices.example.com"
    assert Client.from_environment(url="http://other", **CREDENTIALS).url == "http://other"
