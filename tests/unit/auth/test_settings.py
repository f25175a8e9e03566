from ipaddress import ip_network
from pathlib import Path

import pytest

from services.auth.settings import AuthSettings
from shared.errors import ConfigError
from shared.runtime.settings import load


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = {
        "TRADEDAD_AUTH_KEYS_DIR": "/keys",
        "TRADEDAD_AUTH_PEPPER": "p" * 32,
        "TRADEDAD_AUTH_NATS_PASSWORD": "n" * 8,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def test_all_settings_but_the_key_directory_and_the_secrets_have_defaults(
    environ: dict[str, str],
) -> None:
    settings = load(AuthSettings, environ)
    assert settings.keys_dir == Path("/keys")
    assert (settings.port, settings.ops_port) == (7410, 7411)
    assert settings.bcrypt_cost == 12
    assert not settings.create_missing_key


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRADEDAD_AUTH_PEPPER", "too short a secret"),
        ("TRADEDAD_AUTH_BCRYPT_COST", "9"),
        ("TRADEDAD_AUTH_PASSWORD_MIN_CHARS", "7"),
        ("TRADEDAD_AUTH_HASH_QUEUE", "-1"),
        ("TRADEDAD_AUTH_ACCESS_TTL_SECS", "3601"),
        ("TRADEDAD_AUTH_REFRESH_GRACE_SECS", "61"),
        ("TRADEDAD_AUTH_TRUSTED_PROXIES", "10.0.0.0/8, everybody"),
    ],
)
def test_an_insecure_value_is_refused_with_the_name_of_its_variable(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as raised:
        load(AuthSettings, environ | {name: value})
    assert "too short a secret" not in str(raised.value)


def test_a_missing_pepper_is_reported_with_the_name_of_its_variable(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRADEDAD_AUTH_PEPPER")
    with pytest.raises(ConfigError, match="TRADEDAD_AUTH_PEPPER is not set"):
        load(AuthSettings, {"TRADEDAD_AUTH_KEYS_DIR": "/keys"})


def test_the_pepper_is_not_in_the_repr_of_the_settings(environ: dict[str, str]) -> None:
    assert "pppp" not in repr(load(AuthSettings, environ))


def test_lists_are_separated_by_commas(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDAD_AUTH_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    monkeypatch.setenv("TRADEDAD_AUTH_ALLOWED_ORIGINS", "https://tradedad.example")
    settings = load(AuthSettings, environ)
    assert settings.trusted_proxies == {ip_network("10.0.0.0/8"), ip_network("::1/128")}
    assert settings.allowed_origins == {"https://tradedad.example"}


def test_an_access_token_lifetime_longer_than_a_session_is_refused(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDAD_AUTH_SESSION_IDLE_SECS", "599")
    with pytest.raises(
        ConfigError,
        match="ACCESS_TTL_SECS: 600: must not be longer than TRADEDAD_AUTH_SESSION_TTL_SECS",
    ):
        load(AuthSettings, environ)
