"""A stack uses the real Upstox only with an access token or a token file."""

from pathlib import Path

import pytest

from embedded import plan

FILE = "TRADEDAD_UPSTOX_TOKEN_FILE"
TOKEN = "TRADEDAD_UPSTOX_ACCESS_TOKEN"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is searched for, and the environment has no token."""
    monkeypatch.setattr(plan, "find_programs", lambda: (Path("nats-server"), Path("mongod")))
    for variable in (FILE, TOKEN):
        monkeypatch.delenv(variable, raising=False)


def prepared(tmp_path: Path, *, always_simulated: bool = False) -> plan.Plan:
    return plan.prepare(data_dir=tmp_path, use_free_ports=True, always_simulated=always_simulated)


def test_without_a_token_upstox_is_simulated(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    assert made.data_dir.name == "simulated"
    assert made.environment["TRADEDAD_UPSTOX_API_URL"] == made.url("TRADEDAD_SIMULATOR_PORT")


@pytest.mark.parametrize("variable", [TOKEN, FILE])
def test_with_a_token_upstox_is_the_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "something")
    made = prepared(tmp_path)
    assert made.data_dir.name == "upstox"
    assert made.environment[variable] == "something"
    assert "TRADEDAD_UPSTOX_API_URL" not in made.environment


def test_a_simulated_upstox_is_not_given_a_real_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "real")
    monkeypatch.setenv(FILE, "real")
    made = prepared(tmp_path, always_simulated=True)
    assert made.data_dir.name == "simulated"
    assert made.environment[TOKEN] != "real"
    assert FILE not in made.environment
