"""Plan of one embedded stack: its folder, ports and environment."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from embedded import binaries, daemons
from embedded.folder_lock import check_unlocked
from embedded.ports import HOST, configured_hosts, configured_ports, free_stack_ports
from embedded.secrets import ensure_seal_key, ensure_secrets
from embedded.settings import SERVICES, StackSettings, check_environment
from embedded.simulated_time import check_simulated_time
from embedded.user_settings import user_environment
from services.simulator.settings import SIMULATED_TOKEN
from shared.errors import ConfigError
from shared.runtime.disk_space import free_space
from shared.runtime.setting_problems import shown
from shared.runtime.setting_sources import SECRETS_DIR, stripped
from shared.runtime.settings import RuntimeSettings, load

_MASTER_PATH = "market-quote/instruments/exchange/complete.json.gz"
TOKEN_FILE = "TRADEDAD_UPSTOX_TOKEN_FILE"
_TOKEN_VARIABLES = ("TRADEDAD_UPSTOX_ACCESS_TOKEN", TOKEN_FILE)
_CRITICAL = "TRADEDAD_RUNTIME_DISK_CRITICAL_BYTES"
_SEAL_KEYS = "seal-keys"
_CALLBACK_PATH = "/v1/link/upstox/callback"
_SHUTDOWN_DEADLINE_SECS = "4"  # honcho kills its processes after five seconds


@dataclass(frozen=True)
class Plan:
    """A stack to start."""

    data_dir: Path
    ports: dict[str, int]
    hosts: dict[str, str]
    """The address on which the port of each variable is opened."""
    environment: dict[str, str]

    def url(self, port_variable: str) -> str:
        """Return the HTTP address of the process that listens on `port_variable`."""
        return _url(self.hosts, self.ports, port_variable)

    @property
    def ops_urls(self) -> dict[str, str]:
        """Address of each service's /healthz, /readyz and /metrics, by service name."""
        return {name: self.url(f"TRADEDAD_{name.upper()}_OPS_PORT") for name in SERVICES}

    @property
    def mongo_url(self) -> str:
        return daemons.mongo_url(self.ports["TRADEDAD_STACK_MONGO_PORT"])

    @property
    def nats_url(self) -> str:
        return f"nats://{HOST}:{self.ports['TRADEDAD_STACK_NATS_PORT']}"


def _url(hosts: Mapping[str, str], ports: Mapping[str, int], port_variable: str) -> str:
    """The address for clients on this machine: a process on all addresses is also on loopback."""
    host = hosts[port_variable]
    host = {"0.0.0.0": HOST, "::": "::1", "": HOST}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{ports[port_variable]}"


def find_programs() -> tuple[Path, Path]:
    """Return the paths of nats-server and mongod. Raises ConfigError or MissingProgramError."""
    check_environment()
    settings = load(StackSettings)
    nats_server = binaries.nats_server(settings.nats_server, allow_apt=settings.allow_apt)
    return nats_server, binaries.mongod(settings.mongod, allow_apt=settings.allow_apt)


def prepare(
    *,
    data_dir: Path | None = None,
    use_free_ports: bool = False,
    overrides: dict[str, str] | None = None,
    always_simulated: bool = False,
) -> Plan:
    """Check the machine and the settings, and create the data folder and secrets.

    The stack uses the real Upstox if an access token or a token file for it is set, as a variable
    or as a secret file, unless `always_simulated`. Simulated and real data have separate folders.
    Raises ConfigError or MissingProgramError, whose messages name the remedy.
    """
    with _environ(user_environment()):
        return _prepare(
            data_dir,
            use_free_ports=use_free_ports,
            overrides=overrides or {},
            always_simulated=always_simulated,
        )


def _prepare(
    data_dir: Path | None,
    *,
    use_free_ports: bool,
    overrides: dict[str, str],
    always_simulated: bool,
) -> Plan:
    nats_server, mongod = find_programs()
    settings = load(StackSettings)
    simulated = always_simulated or not any(map(_is_set, _TOKEN_VARIABLES))
    folder = (data_dir or settings.data_dir).resolve() / ("simulated" if simulated else "upstox")
    _make_folder(folder)
    problems: dict[str, None] = {}
    ports = _ports(problems, use_free_ports=use_free_ports)
    hosts = configured_hosts()
    environment = os.environ | _environment(folder, hosts, ports)
    if simulated:
        environment = _without_upstox(environment) | _simulated_upstox(hosts, ports, environment)
    else:
        _check_token_file(environment, problems)
    environment |= overrides
    environment |= {
        "TRADEDAD_STACK_NATS_SERVER": str(nats_server),
        "TRADEDAD_STACK_MONGOD": str(mongod),
    }
    _check_services(environment, problems)
    if problems:
        raise ConfigError(list(problems))
    if simulated:
        check_simulated_time(folder, environment)
    environment[_CRITICAL] = str(_check_space(folder, environment))
    return Plan(folder, ports, hosts, environment)


def _make_folder(folder: Path) -> None:
    """Create the data folder and its secrets. Raises ConfigError if it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_unlocked(folder)
        ensure_secrets(folder / "secrets")
        ensure_seal_key(folder / _SEAL_KEYS)
    except OSError as error:
        raise ConfigError(
            [f"TRADEDAD_STACK_DATA_DIR: cannot use {folder}: {error.strerror}"]
        ) from None


def _is_set(variable: str) -> bool:
    return bool(stripped(os.environ.get(variable, "")))


def _ports(problems: dict[str, None], *, use_free_ports: bool) -> dict[str, int]:
    """The ports to use; free ones in place of configured ones with problems."""
    if not use_free_ports:
        try:
            return configured_ports()
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    return free_stack_ports()


def _check_token_file(environment: Mapping[str, str], problems: dict[str, None]) -> None:
    """A service waits for its token file; at the start of a stack a missing one is a mistake."""
    path = Path(stripped(environment.get(TOKEN_FILE, "")))
    if environment.get(TOKEN_FILE) and path.parent.is_dir() and not path.exists():
        problems[f"{TOKEN_FILE}: {shown(path)}: there is no such file"] = None


def _check_space(folder: Path, environment: dict[str, str]) -> int:
    """The free space that the disk must have. Raises ConfigError if it has less."""
    with _environ(environment):
        critical_bytes = load(RuntimeSettings).disk_critical_bytes
    free_bytes = free_space(folder)
    if free_bytes < critical_bytes:
        problem = (
            f"TRADEDAD_STACK_DATA_DIR: the disk of {folder} has only {free_bytes} bytes free; "
            f"{_CRITICAL} requires {critical_bytes}"
        )
        raise ConfigError([problem])
    return critical_bytes


def _check_services(environment: dict[str, str], problems: dict[str, None]) -> None:
    """Load the settings of each service, and add all problems."""
    with _environ(environment):
        for group in SERVICES.values():
            try:
                load(group)
            except ConfigError as error:
                problems |= dict.fromkeys(error.problems)


@contextmanager
def _environ(environment: dict[str, str]) -> Iterator[None]:
    """Replace this process's environment temporarily; settings are read from it."""
    original = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(original)


def _without_upstox(environment: dict[str, str]) -> dict[str, str]:
    """Without the settings that are only for the real Upstox."""
    only_real = (*_TOKEN_VARIABLES, "TRADEDAD_UPSTOX_PROXY_URL")
    return {name: value for name, value in environment.items() if name not in only_real}


def _simulated_upstox(
    hosts: Mapping[str, str], ports: Mapping[str, int], environment: Mapping[str, str]
) -> dict[str, str]:
    simulator = _url(hosts, ports, "TRADEDAD_SIMULATOR_PORT")
    client_id = environment.get("TRADEDAD_SIMULATOR_CLIENT_ID", "simulated-client")
    client_secret = environment.get("TRADEDAD_SIMULATOR_CLIENT_SECRET", "simulated-secret")
    redirect_urls = [
        environment["TRADEDAD_TRADING_UPSTOX_REDIRECT_URL"],
        environment.get(
            "TRADEDAD_SIMULATOR_REDIRECT_URIS", f"{simulator}/simulator/v1/login/callback"
        ),
    ]
    return {
        "TRADEDAD_UPSTOX_API_URL": simulator,
        "TRADEDAD_UPSTOX_ACCESS_TOKEN": SIMULATED_TOKEN,
        "TRADEDAD_PERSISTER_MASTER_URL": f"{simulator}/{_MASTER_PATH}",
        # The simulator's exchange clock may run faster than real time.
        "TRADEDAD_INGEST_MAX_AHEAD_SECS": "1e9",
        # Paper orders are filled whenever the simulator trades.
        "TRADEDAD_TRADING_CALENDAR": environment.get("TRADEDAD_SIMULATOR_CALENDAR", "always_open"),
        # Users link accounts at the simulator, with its one application.
        "TRADEDAD_TRADING_LIVE_ORDERS": environment.get("TRADEDAD_TRADING_LIVE_ORDERS", "true"),
        "TRADEDAD_TRADING_UPSTOX_CLIENT_ID": client_id,
        "TRADEDAD_TRADING_UPSTOX_CLIENT_SECRET": client_secret,
        # Derivatives too: option chains and futures can be tried.
        "TRADEDAD_SIMULATOR_UNIVERSE": environment.get("TRADEDAD_SIMULATOR_UNIVERSE", "full"),
        "TRADEDAD_SIMULATOR_CLIENT_ID": client_id,
        "TRADEDAD_SIMULATOR_CLIENT_SECRET": client_secret,
        "TRADEDAD_SIMULATOR_REDIRECT_URIS": ",".join(redirect_urls),
    }


def _environment(
    folder: Path, hosts: Mapping[str, str], ports: Mapping[str, int]
) -> dict[str, str]:
    """Return the environment of the processes; variables that the user has set win."""
    bin_dir = str(Path(sys.executable).parent)
    auth_url = _url(hosts, ports, "TRADEDAD_AUTH_PORT")
    defaults = {
        "TRADEDAD_NATS_URL": f"nats://{HOST}:{ports['TRADEDAD_STACK_NATS_PORT']}",
        "TRADEDAD_MONGO_URL": daemons.mongo_url(ports["TRADEDAD_STACK_MONGO_PORT"]),
        "TRADEDAD_TOKEN_JWKS_URL": f"{auth_url}/.well-known/jwks.json",
        "TRADEDAD_GATEWAY_AUTH_URL": auth_url,
        "TRADEDAD_AUTH_KEYS_DIR": str(folder / "keys"),
        "TRADEDAD_AUTH_CREATE_MISSING_KEY": "true",
        "TRADEDAD_TRADING_KEYS_DIR": str(folder / _SEAL_KEYS),
        "TRADEDAD_TRADING_UPSTOX_REDIRECT_URL": (
            _url(hosts, ports, "TRADEDAD_GATEWAY_PORT") + _CALLBACK_PATH
        ),
        "TRADEDAD_AUTH_TRUSTED_PROXIES": _loopback_and(hosts["TRADEDAD_AUTH_PORT"]),
        # All processes share one machine: a flood of logins must leave a core for market data.
        "TRADEDAD_AUTH_HASH_WORKERS": "1",
        "TRADEDAD_INGEST_WATCHLIST_FILE": str(daemons.ROOT / "deploy/watchlists/nifty50.txt"),
        "TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS": _SHUTDOWN_DEADLINE_SECS,
        "TRADEDAD_NATS_STORE_DIR": str(folder / "nats"),
        "TRADEDAD_MONGO_STORE_DIR": str(folder / "mongo"),
    }
    if sys.stderr.isatty():
        defaults["TRADEDAD_LOG_FORMAT"] = "console"
    environment = {name: os.environ.get(name, value) for name, value in defaults.items()}
    environment |= {name: str(port) for name, port in ports.items()}
    environment |= {
        "TRADEDAD_STACK_DATA_DIR": str(folder),
        SECRETS_DIR: str(folder / "secrets"),
        "PATH": f"{bin_dir}:{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
    }
    return environment


def _loopback_and(host: str) -> str:
    """Networks of loopback, and of the address that a client of `host` on this machine has."""
    networks = [f"{HOST}/32", "::1/128"]
    try:
        address = ip_address(host)
    except ValueError:
        return ",".join(networks)
    if not address.is_loopback and not address.is_unspecified:
        networks.append(f"{address}/{address.max_prefixlen}")
    return ",".join(networks)
