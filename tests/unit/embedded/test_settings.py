"""Whatever the environment holds, a start fails only with lines that name its settings."""

import os
from pathlib import Path
from typing import Final
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.settings import SERVICES, StackSettings
from shared.errors import ConfigError
from shared.runtime.settings import Settings, load, variables

GROUPS: Final[dict[str, type[Settings]]] = {**SERVICES, "stack": StackSettings}
REQUIRED: Final = {
    "TRADEDAD_AUTH_KEYS_DIR": "/keys",
    "TRADEDAD_AUTH_PEPPER": "p" * 32,
    "TRADEDAD_AUTH_NATS_PASSWORD": "password",
    "TRADEDAD_GATEWAY_NATS_PASSWORD": "password",
    "TRADEDAD_INGEST_NATS_PASSWORD": "password",
    "TRADEDAD_PERSISTER_NATS_PASSWORD": "password",
    "TRADEDAD_TRADING_NATS_PASSWORD": "password",
}
SECRET_WORDS: Final = (
    "PASSWORD",
    "PEPPER",
    "ACCESS_TOKEN",
    "CLIENT_SECRET",
    "MONGO_URL",
    "PROXY_URL",
)
NOT_TEXT: Final = "\udcff"
"""A byte of the environment that is not UTF-8."""

JUNK: Final = st.one_of(
    st.sampled_from(
        ["", " ", "\r", "0", "-1", "1e309", "inf", "nan", "-inf", "9" * 30, "1_0", "0x10", "1.5",
         "true", "null", "[]", "{}", "http://", "https://[::1", "nats://a:b", "::1", "a b$", ";",
         ",", "/", "../..", "10.0.0.0/33", "10.0.0.1/8", "*", "https://a;https://b", NOT_TEXT,
         "\ufeff", "mongodb://u:p/w@h", "x" * 5_000, "/dev/null/x", "\u0661"]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40),
)  # fmt: skip


def problems(group: type[Settings], environ: dict[str, str]) -> list[str]:
    """The lines of a failed start; none if it succeeds."""
    with mock.patch.dict(os.environ, REQUIRED | environ, clear=True):
        try:
            load(group)
        except ConfigError as error:
            return error.problems
    return []


@pytest.mark.parametrize("name", GROUPS)
@given(data=st.data())
def test_junk_in_any_settings_is_named_and_nothing_else(name: str, data: st.DataObject) -> None:
    names = sorted(variables(GROUPS[name]))
    junk = data.draw(st.dictionaries(st.sampled_from(names), JUNK, min_size=1, max_size=6))
    for line in problems(GROUPS[name], junk):
        assert line.split(":")[0] in junk
        assert "\n" not in line
        assert len(line) < 400


@pytest.mark.parametrize("name", GROUPS)
def test_bytes_that_are_not_text_are_refused_in_every_setting_at_once(name: str) -> None:
    names = sorted(variables(GROUPS[name]))
    lines = problems(GROUPS[name], dict.fromkeys(names, NOT_TEXT))
    assert sorted(line.split(":")[0] for line in lines) == names


@pytest.mark.parametrize("name", GROUPS)
def test_no_line_repeats_the_value_of_a_secret(name: str) -> None:
    canary = "canary 5f1e"
    junk = {
        variable: canary for variable in variables(GROUPS[name]) if variable.endswith(SECRET_WORDS)
    }
    assert canary not in "".join(problems(GROUPS[name], junk))


@pytest.mark.parametrize(
    ("name", "variable", "value", "rule"),
    [
        ("gateway", "ALLOWED_ORIGINS", "trade.example", "must start with http:// or https://"),
        ("gateway", "ALLOWED_ORIGINS", "https://a;https://b", "separated by commas"),
        ("auth", "ALLOWED_ORIGINS", "https://a/path", "only scheme, host and port"),
        ("gateway", "TRUSTED_PROXIES", "10.0.0.0/33", "is not an IP network such as"),
        ("auth", "TRUSTED_PROXIES", "10.0.0.1/8", "did you mean 10.0.0.0/8?"),
        ("auth", "SESSION_TTL_SECS", "0", "greater than or equal to 60"),
        ("auth", "SESSION_TTL_SECS", "9" * 12, "less than or equal to"),
        ("gateway", "MAX_QUOTE_AGE_SECS", "inf", "finite number"),
        ("ingest", "SILENT_AFTER_SECS", "nan", "finite number"),
        ("gateway", "PAGE_DIR", "/nowhere", "is not a directory"),
        ("ingest", "WATCHLIST_FILE", "/nowhere/list", "a directory that does not exist"),
        ("ingest", "WATCHLIST_FILE", "", "must not be empty"),
        ("simulator", "WEBHOOK_URL", "ftp://a", "must start with http:// or https://"),
    ],
)
def test_a_bad_value_is_named_with_its_rule(
    name: str, variable: str, value: str, rule: str
) -> None:
    full = f"TRADEDAD_{name.upper()}_{variable}"
    [line] = problems(GROUPS[name], {full: value})
    assert line.startswith(f"{full}: {value!r}: ")
    assert rule in line


def test_the_rule_of_a_short_pepper_is_stated_without_the_pepper() -> None:
    [line] = problems(GROUPS["auth"], {"TRADEDAD_AUTH_PEPPER": "too short"})
    assert line == "TRADEDAD_AUTH_PEPPER: must have at least 32 characters"


def test_a_token_file_in_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "token")
    [line] = problems(GROUPS["ingest"], {"TRADEDAD_UPSTOX_TOKEN_FILE": path})
    assert line.startswith(f"TRADEDAD_UPSTOX_TOKEN_FILE: {path!r}: ")
