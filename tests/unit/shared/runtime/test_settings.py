"""Settings are read, validated and explained strictly, without leaking secrets."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from shared.errors import ConfigError
from shared.runtime.setting_types import Port
from shared.runtime.settings import (
    MongoSettings,
    NatsSettings,
    ServiceSettings,
    TokenSettings,
    UpstoxSettings,
    load,
    variables,
)

CANARY = "canary-secret-5f1e"


class OvenSettings(ServiceSettings):
    """The settings of a service for tests."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_INGEST_")

    ops_port: Port = 7999
    heat: Annotated[int, Field(le=300)] = 180
    pepper: Annotated[SecretStr, Field(min_length=8)]
    nats: NatsSettings = Field(default_factory=NatsSettings)
    mongo: MongoSettings = Field(default_factory=MongoSettings)


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADEDAD_SECRETS_DIR", raising=False)
    monkeypatch.setenv("TRADEDAD_INGEST_PEPPER", "long enough")


def problems() -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(OvenSettings)
    return raised.value.problems


def test_without_variables_every_setting_has_its_default() -> None:
    settings = load(OvenSettings)
    assert (settings.heat, settings.ops_port, settings.log.level) == (180, 7999, "info")
    assert settings.runtime.shutdown_deadline_secs == 10.0


def test_the_environment_sets_own_and_shared_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEDAD_INGEST_HEAT", "220")
    monkeypatch.setenv("TRADEDAD_NATS_URL", "nats://a:1,nats://b:2")
    monkeypatch.setenv("TRADEDAD_LOG_LEVEL", "debug")
    settings = load(OvenSettings)
    assert (settings.heat, settings.nats.url) == (220, "nats://a:1,nats://b:2")
    assert settings.log.level == "debug"


@pytest.mark.parametrize(
    ("mistyped", "nearest"),
    [
        ("TRADEDAD_INGEST_HEET", "TRADEDAD_INGEST_HEAT"),
        ("TRADEDAD_NATS_URLS", "TRADEDAD_NATS_URL"),
        ("TRADEDAD_LOG_LVEL", "TRADEDAD_LOG_LEVEL"),
    ],
)
def test_a_mistyped_variable_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, mistyped: str, nearest: str
) -> None:
    monkeypatch.setenv(mistyped, CANARY)
    assert problems() == [f"{mistyped} is not a setting; did you mean {nearest}?"]


def test_the_variables_of_the_python_client_are_no_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRADEDAD_CLIENT_EMAIL", "me@example.com")
    monkeypatch.setenv("TRADEDAD_ZZZ", "1")
    assert problems() == ["TRADEDAD_ZZZ is not a setting"]


def test_every_unknown_variable_is_named_with_a_hint_only_if_one_is_similar(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRADEDAD_ZZZ", "1")
    monkeypatch.setenv("TRADEDAD_INGEST", "1")
    monkeypatch.setenv("TRADEDADX_ZZZ", "1")
    lines = problems()
    assert len(lines) == 2
    assert lines[0].startswith("TRADEDAD_INGEST is not a setting")
    assert lines[1] == "TRADEDAD_ZZZ is not a setting"


def test_variables_of_other_parts_are_ignored_but_not_unknown_ones_of_this_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for other in ("AUTH", "GATEWAY", "PERSISTER", "SIMULATOR", "STACK", "TRADING"):
        monkeypatch.setenv(f"TRADEDAD_{other}_ANYTHING", "1")
    assert load(OvenSettings).heat == 180
    monkeypatch.setenv("TRADEDAD_INGEST_ANYTHING", "1")
    assert len(problems()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("TRADEDAD_INGEST_HEAT", "301", "less than or equal to 300"),
        ("TRADEDAD_INGEST_HEAT", CANARY, "valid integer"),
        ("TRADEDAD_INGEST_OPS_PORT", "70000", "less than or equal to 65535"),
        ("TRADEDAD_INGEST_PEPPER", CANARY[:7], "at least 8"),
        ("TRADEDAD_LOG_FORMAT", CANARY, "'auto', 'json' or 'console'"),
        ("TRADEDAD_NATS_REPLICAS", "6", "less than or equal to 5"),
        ("TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS", "0", "greater than or equal to 0.001"),
        ("TRADEDAD_MONGO_TIMEOUT_MS", "99", "greater than or equal to 100"),
    ],
)
def test_the_error_of_a_bad_value_names_variable_value_and_rule_but_no_secret(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, rule: str
) -> None:
    monkeypatch.setenv(variable, value)
    [line] = problems()
    is_secret = variable == "TRADEDAD_INGEST_PEPPER"
    assert line.startswith(f"{variable}: " if is_secret else f"{variable}: {value!r}: ")
    assert rule in line
    assert not is_secret or value not in line


def test_a_missing_required_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADEDAD_INGEST_PEPPER")
    monkeypatch.setenv("TRADEDAD_INGEST_HEAT", "999")
    lines = problems()
    assert "TRADEDAD_INGEST_PEPPER is not set, and has no default" in lines
    assert len(lines) == 2


def test_a_secret_is_read_from_the_file_named_like_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TRADEDAD_INGEST_PEPPER")
    monkeypatch.setenv("TRADEDAD_SECRETS_DIR", str(tmp_path))
    (tmp_path / "TRADEDAD_INGEST_PEPPER").write_text(f"{CANARY}\n")
    (tmp_path / "TRADEDAD_MONGO_URL").write_text("mongodb://from-a-file")
    settings = load(OvenSettings)
    assert settings.pepper.get_secret_value() == CANARY
    assert settings.mongo.url.get_secret_value() == "mongodb://from-a-file"


def test_the_environment_takes_precedence_over_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADEDAD_SECRETS_DIR", str(tmp_path))
    (tmp_path / "TRADEDAD_INGEST_PEPPER").write_text(CANARY)
    assert load(OvenSettings).pepper.get_secret_value() == "long enough"


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_secrets_directory_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRADEDAD_SECRETS_DIR", str(tmp_path / name))
    assert problems() == [f"TRADEDAD_SECRETS_DIR: {str(tmp_path / name)!r} is not a directory"]


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n", " ", "\ufeff"])
@pytest.mark.parametrize("start", ["", "\ufeff", " "])
def test_marks_and_line_ends_around_a_value_are_dropped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, start: str, ending: str
) -> None:
    monkeypatch.delenv("TRADEDAD_INGEST_PEPPER")
    monkeypatch.setenv("TRADEDAD_SECRETS_DIR", f"{tmp_path}{ending}")
    monkeypatch.setenv("TRADEDAD_INGEST_HEAT", f"{start}220{ending}")
    monkeypatch.setenv("TRADEDAD_NATS_URL", f"{start}nats://a:1{ending}")
    (tmp_path / "TRADEDAD_INGEST_PEPPER").write_text(f"{start}{CANARY}{ending}", encoding="utf-8")
    settings = load(OvenSettings)
    assert (settings.heat, settings.nats.url) == (220, "nats://a:1")
    assert settings.pepper.get_secret_value() == CANARY


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "is empty"),
        (b"\r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\xff\xfe" + CANARY.encode(), "is not UTF-8 text"),
        (CANARY.encode() * 10_000, "is longer than 65536 bytes"),
    ],
)
def test_a_secret_file_that_is_no_secret_is_named_without_its_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: bytes, rule: str
) -> None:
    monkeypatch.delenv("TRADEDAD_INGEST_PEPPER")
    monkeypatch.setenv("TRADEDAD_SECRETS_DIR", str(tmp_path))
    path = tmp_path / "TRADEDAD_INGEST_PEPPER"
    path.write_bytes(data)
    lines = problems()
    assert lines[0] == f"TRADEDAD_INGEST_PEPPER: the file {path} {rule}"
    assert all(line.startswith("TRADEDAD_INGEST_PEPPER") for line in lines)
    assert CANARY not in "".join(lines)


def test_a_secret_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TRADEDAD_INGEST_PEPPER")
    monkeypatch.setenv("TRADEDAD_SECRETS_DIR", str(tmp_path))
    path = tmp_path / "TRADEDAD_INGEST_PEPPER"
    path.mkdir()
    assert f"TRADEDAD_INGEST_PEPPER: cannot read the file {path}: Is a directory" in problems()


def test_all_problems_of_all_groups_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {
        "TRADEDAD_INGEST_HEAT": "hot",
        "TRADEDAD_INGEST_PEPPER": "short",
        "TRADEDAD_LOG_LEVEL": "loud",
        "TRADEDAD_MONGO_DATABASE": "a b$",
        "TRADEDAD_MONGO_URL": "mongo://h",
        "TRADEDAD_NATS_URL": "",
        "TRADEDAD_NOTHING": "1",
        "TRADEDAD_RUNTIME_OPS_HOST": "http://h",
    }
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    assert sorted(line.split(":")[0].split(" ")[0] for line in problems()) == sorted(bad)


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("TRADEDAD_NATS_URL", "", "must be one or more URLs"),
        ("TRADEDAD_NATS_URL", "nats://a:1,", "must be one or more URLs"),
        ("TRADEDAD_NATS_URL", "http://a:1", "must start with nats:// or tls://"),
        ("TRADEDAD_NATS_URL", "a:1", "must start with nats:// or tls://"),
        ("TRADEDAD_NATS_URL", "nats://", "must have a host name"),
        ("TRADEDAD_NATS_URL", "nats://a:port", "the port is not a number up to 65535"),
        ("TRADEDAD_NATS_URL", "nats://a:99999", "the port is not a number up to 65535"),
        ("TRADEDAD_NATS_URL", "nats://a b", "must not contain spaces"),
        ("TRADEDAD_NATS_LEASE_TTL_SECS", "inf", "finite number"),
        ("TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS", "nan", "finite number"),
        ("TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS", "1e300", "less than or equal to 1000000000"),
        ("TRADEDAD_RUNTIME_OPS_HOST", "", "must be an IP address or a host name"),
        ("TRADEDAD_RUNTIME_OPS_HOST", "1.2.3", "must be an IP address or a host name"),
        ("TRADEDAD_RUNTIME_OPS_HOST", "h:80", "must be an IP address or a host name"),
        ("TRADEDAD_MONGO_DATABASE", "a b$", "match pattern"),
        ("TRADEDAD_MONGO_DATABASE", "", "match pattern"),
    ],
)
def test_a_value_that_could_only_fail_later_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, rule: str
) -> None:
    monkeypatch.setenv(variable, value)
    [line] = problems()
    assert line.startswith(f"{variable}: {value!r}: ")
    assert rule in line


@pytest.mark.parametrize("url", [f"nats://u:{CANARY}@h:1", f"nats://h:1,tls://{CANARY}@h"])
def test_a_password_in_a_nats_url_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TRADEDAD_NATS_URL", url)
    [line] = problems()
    assert "must not contain a user or a password" in line
    assert "//***@h" in line
    assert CANARY not in line


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        f"postgres://u:{CANARY}@h",
        f"mongodb://u:{CANARY}@h:port",
        f"mongodb://u:{CANARY}/@h",
    ],
)
def test_a_mongodb_url_is_never_repeated(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TRADEDAD_MONGO_URL", url)
    [line] = problems()
    assert line.startswith("TRADEDAD_MONGO_URL: ")
    assert "mongodb://" in line or "not a valid MongoDB URL" in line
    assert CANARY not in line


def test_an_ipv6_host_may_have_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEDAD_RUNTIME_OPS_HOST", "[::1]")
    assert load(OvenSettings).runtime.ops_host == "::1"


def test_a_variable_in_lower_case_is_not_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("tradedad_nats_url", "nats://a:1")
    assert problems() == ["tradedad_nats_url is not a setting; did you mean TRADEDAD_NATS_URL?"]


def test_settings_are_immutable() -> None:
    settings = load(OvenSettings)
    with pytest.raises(ValidationError, match="frozen"):
        settings.heat = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.nats.replicas = 3  # type: ignore[misc]


def test_no_representation_contains_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEDAD_INGEST_PEPPER", CANARY)
    monkeypatch.setenv("TRADEDAD_MONGO_URL", f"mongodb://user:{CANARY}@host")
    settings = load(OvenSettings)
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_variables_of_a_service_include_those_of_its_groups() -> None:
    defaults = variables(OvenSettings)
    assert defaults["TRADEDAD_INGEST_HEAT"] == 180
    assert defaults["TRADEDAD_NATS_REPLICAS"] == 1
    assert defaults["TRADEDAD_RUNTIME_OPS_HOST"] == "127.0.0.1"
    assert "TRADEDAD_INGEST_NATS" not in defaults
    assert "TRADEDAD_UPSTOX_API_URL" not in defaults


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://a", ""])
def test_a_url_without_http_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TRADEDAD_TOKEN_JWKS_URL", url)
    with pytest.raises(
        ConfigError, match=f"TRADEDAD_TOKEN_JWKS_URL: {url!r}: must start with http"
    ):
        load(TokenSettings)


@pytest.mark.parametrize(
    ("api_url", "simulated", "expected"),
    [
        ("https://api.upstox.com", None, False),
        ("https://api-v2.UPSTOX.com/", None, False),
        ("https://upstox.com", None, False),
        ("http://127.0.0.1:7440", None, True),
        ("https://upstox.com.example", None, True),
        ("https://notupstox.com", None, True),
        ("http://127.0.0.1:7440", False, False),
        ("https://api.upstox.com", True, True),
    ],
)
def test_prices_are_simulated_unless_they_come_from_upstox(
    api_url: str, simulated: bool | None, expected: bool
) -> None:
    assert UpstoxSettings(api_url=api_url, simulated=simulated).is_simulated is expected
