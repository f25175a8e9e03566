"""A plan has the environment of all processes."""

import os
from pathlib import Path

import pytest

from embedded import plan
from embedded.folder_lock import FolderInUseError, FolderLock
from embedded.ports import HOST, free_stack_ports
from embedded.settings import SERVICES
from services.trading.links.seal_keys import load_key_ring
from shared.errors import ConfigError
from shared.runtime.setting_sources import SECRETS_DIR


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (Path("/usr/sbin/nats-server"), Path("/usr/bin/mongod"))
    monkeypatch.setattr(plan, "find_programs", lambda: found)
    for variable in ("TRADEDAD_UPSTOX_ACCESS_TOKEN", "TRADEDAD_UPSTOX_TOKEN_FILE", SECRETS_DIR):
        monkeypatch.delenv(variable, raising=False)


def test_without_an_upstox_token_the_services_use_the_simulator(tmp_path: Path) -> None:
    prepared = plan.prepare(data_dir=tmp_path, use_free_ports=True)
    assert prepared.data_dir == tmp_path / "simulated"
    simulator = prepared.url("TRADEDAD_SIMULATOR_PORT")
    assert prepared.environment["TRADEDAD_UPSTOX_API_URL"] == simulator


def test_with_an_upstox_token_real_data_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDAD_UPSTOX_ACCESS_TOKEN", "real")
    prepared = plan.prepare(data_dir=tmp_path, use_free_ports=True)
    assert prepared.data_dir == tmp_path / "upstox"
    assert "TRADEDAD_UPSTOX_API_URL" not in prepared.environment
    simulated = plan.prepare(data_dir=tmp_path, use_free_ports=True, always_simulated=True)
    assert simulated.data_dir == tmp_path / "simulated"


def test_variables_of_the_user_win_except_ports_and_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDAD_MONGO_URL", "mongodb://elsewhere/")
    monkeypatch.setenv("TRADEDAD_STACK_DATA_DIR", "elsewhere")
    environment = plan.prepare(data_dir=tmp_path, use_free_ports=True).environment
    assert environment["TRADEDAD_MONGO_URL"] == "mongodb://elsewhere/"
    assert environment["TRADEDAD_STACK_DATA_DIR"] == str(tmp_path / "simulated")
    assert Path(environment[SECRETS_DIR]).is_dir()


def test_every_service_has_an_operations_address(tmp_path: Path) -> None:
    urls = plan.prepare(data_dir=tmp_path, use_free_ports=True).ops_urls
    assert urls.keys() == SERVICES.keys()
    assert len(set(urls.values())) == len(urls)
    assert all(url.startswith(f"http://{HOST}:") for url in urls.values())


def test_invalid_settings_of_a_service_are_reported_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TRADEDAD_GATEWAY_FLUSH_INTERVAL_MS"):
        plan.prepare(
            data_dir=tmp_path,
            use_free_ports=True,
            overrides={"TRADEDAD_GATEWAY_FLUSH_INTERVAL_MS": "0"},
        )


FILE = "TRADEDAD_UPSTOX_TOKEN_FILE"
TOKEN = "TRADEDAD_UPSTOX_ACCESS_TOKEN"


def prepared(tmp_path: Path, *, always_simulated: bool = False) -> plan.Plan:
    return plan.prepare(data_dir=tmp_path, use_free_ports=True, always_simulated=always_simulated)


@pytest.mark.parametrize("variable", [TOKEN, FILE])
def test_with_a_token_upstox_is_the_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    file = tmp_path / "token"
    file.write_text("token")
    monkeypatch.setenv(variable, str(file))
    made = prepared(tmp_path)
    assert made.data_dir.name == "upstox"
    assert made.environment[variable] == str(file)
    assert "TRADEDAD_UPSTOX_API_URL" not in made.environment


def test_a_token_file_that_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mistyped"
    monkeypatch.setenv(FILE, str(path))
    with pytest.raises(ConfigError) as caught:
        prepared(tmp_path)
    assert caught.value.problems == [f"{FILE}: {str(path)!r}: there is no such file"]


def test_all_problems_of_ports_and_services_are_reported_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, port in free_stack_ports().items():
        monkeypatch.setenv(name, str(port))
    monkeypatch.setenv("TRADEDAD_AUTH_PORT", "web")
    monkeypatch.setenv("TRADEDAD_NATS_URL", "http://h")
    with pytest.raises(ConfigError) as caught:
        plan.prepare(data_dir=tmp_path)
    names = [line.split(":")[0] for line in caught.value.problems]
    assert names == ["TRADEDAD_AUTH_PORT", "TRADEDAD_NATS_URL"]


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_addresses_follow_the_hosts_and_an_ipv6_one_has_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, shown: str
) -> None:
    for service in ("AUTH", "GATEWAY", "SIMULATOR"):
        monkeypatch.setenv(f"TRADEDAD_{service}_HOST", host)
    monkeypatch.setenv("TRADEDAD_RUNTIME_OPS_HOST", host)
    made = prepared(tmp_path)
    for variable in ("TRADEDAD_GATEWAY_PORT", "TRADEDAD_AUTH_OPS_PORT"):
        assert made.url(variable) == f"http://{shown}:{made.ports[variable]}"
    auth = f"http://{shown}:{made.ports['TRADEDAD_AUTH_PORT']}"
    assert made.environment["TRADEDAD_GATEWAY_AUTH_URL"] == auth
    assert made.environment["TRADEDAD_UPSTOX_API_URL"] == made.url("TRADEDAD_SIMULATOR_PORT")


def test_a_folder_in_use_is_reported_before_its_ports(tmp_path: Path) -> None:
    folder = tmp_path / "simulated"
    folder.mkdir()
    lock = FolderLock(folder).acquire()
    with pytest.raises(FolderInUseError) as caught:
        plan.prepare(data_dir=tmp_path)
    lock.release()
    (problem,) = caught.value.problems
    assert problem.startswith(f"TRADEDAD_STACK_DATA_DIR: {folder} is in use by another stack")


def test_a_full_disk_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "free_space", lambda _: 1_000)
    with pytest.raises(ConfigError) as caught:
        prepared(tmp_path)
    (problem,) = caught.value.problems
    assert problem.startswith(
        f"TRADEDAD_STACK_DATA_DIR: the disk of {tmp_path / 'simulated'} has only 1000 bytes free"
    )
    monkeypatch.setenv("TRADEDAD_RUNTIME_DISK_CRITICAL_BYTES", "\ufeff1000.0\r")
    environment = prepared(tmp_path).environment
    assert environment["TRADEDAD_RUNTIME_DISK_CRITICAL_BYTES"] == "1000"


def test_a_simulated_upstox_is_not_given_a_real_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "real")
    monkeypatch.setenv(FILE, "real")
    made = prepared(tmp_path, always_simulated=True)
    assert made.data_dir.name == "simulated"
    assert made.environment[TOKEN] != "real"
    assert FILE not in made.environment


def test_accounts_can_be_linked_at_the_simulated_upstox(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    environment = made.environment
    redirect_url = environment["TRADEDAD_TRADING_UPSTOX_REDIRECT_URL"]
    assert redirect_url == made.url("TRADEDAD_GATEWAY_PORT") + "/v1/link/upstox/callback"
    assert redirect_url in environment["TRADEDAD_SIMULATOR_REDIRECT_URIS"].split(",")
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        assert (
            environment[f"TRADEDAD_TRADING_UPSTOX_{name}"]
            == environment[f"TRADEDAD_SIMULATOR_{name}"]
        )
    assert environment["TRADEDAD_TRADING_LIVE_ORDERS"] == "true"
    keys = load_key_ring(Path(environment["TRADEDAD_TRADING_KEYS_DIR"])).keys
    assert len(keys) == 1
    again = prepared(tmp_path).environment["TRADEDAD_TRADING_KEYS_DIR"]
    assert load_key_ring(Path(again)).keys == keys


def test_orders_at_the_real_upstox_need_the_operators_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "real")
    environment = prepared(tmp_path).environment
    assert "TRADEDAD_TRADING_LIVE_ORDERS" not in environment
    assert "TRADEDAD_TRADING_UPSTOX_CLIENT_ID" not in environment


@pytest.fixture
def secrets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of secret files of the user."""
    folder = tmp_path / "user-secrets"
    folder.mkdir()
    monkeypatch.setenv(SECRETS_DIR, str(folder))
    return folder


@pytest.mark.parametrize("variable", [TOKEN, FILE])
def test_a_token_in_a_secret_file_makes_upstox_the_real_one(
    tmp_path: Path, secrets_folder: Path, variable: str
) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("token")
    (secrets_folder / variable).write_text(f"{token_file}\n")
    made = prepared(tmp_path)
    assert made.data_dir.name == "upstox"
    assert made.environment[variable] == str(token_file)
    simulated = prepared(tmp_path, always_simulated=True)
    assert str(token_file) not in simulated.environment.values()


def test_the_processes_read_the_generated_secrets_beside_those_of_the_user(
    tmp_path: Path, secrets_folder: Path
) -> None:
    (secrets_folder / "TRADEDAD_MONGO_URL").write_text("mongodb://from-a-file")
    made = prepared(tmp_path)
    assert made.environment[SECRETS_DIR] == str(made.data_dir / "secrets")
    assert made.environment["TRADEDAD_MONGO_URL"] == "mongodb://from-a-file"
    assert os.environ[SECRETS_DIR] == str(secrets_folder)
    assert "TRADEDAD_MONGO_URL" not in os.environ
