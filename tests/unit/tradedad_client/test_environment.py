"""Options of a client come from the environment unless they are given."""

import pytest

from tradedad_client.environment import options_of_environment, variable


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_URL", "TOKEN"):
        monkeypatch.delenv(f"TRADEDAD_CLIENT_{name}", raising=False)
    for name, value in {"URL": "http://x", "EMAIL": "a@b", "PASSWORD": "p"}.items():
        monkeypatch.setenv(f"TRADEDAD_CLIENT_{name}", value)


def test_what_is_not_given_is_read() -> None:
    assert options_of_environment({"stream": False}) == {
        "url": "http://x", "email": "a@b", "password": "p", "stream": False,
    }  # fmt: skip


def test_given_credentials_are_not_mixed_with_those_of_the_environment() -> None:
    assert options_of_environment({"token": "t", "url": None}) == {"url": "http://x", "token": "t"}


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("url"), "")
    assert "url" not in options_of_environment({})


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable("email"))
    monkeypatch.delenv(variable("password"))
    with pytest.raises(ValueError, match="set TRADEDAD_CLIENT_EMAIL and TRADEDAD_CLIENT_PASSWORD"):
        options_of_environment({})


def test_a_missing_half_of_the_credentials_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable("email"))
    with pytest.raises(
        ValueError, match="set both TRADEDAD_CLIENT_EMAIL and TRADEDAD_CLIENT_PASSWORD"
    ):
        options_of_environment({})


def test_two_kinds_of_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("token"), "t")
    with pytest.raises(
        ValueError, match=r"either TRADEDAD_CLIENT_EMAIL and .*, or TRADEDAD_CLIENT_TOKEN"
    ):
        options_of_environment({})
