"""Auth as a real process: how it starts, what it logs, how it stops."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from embedded.daemons import ROOT
from services.auth.settings import AuthSettings
from shared.runtime import exit_codes
from tests.support.auth_service import PEPPER
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ChildProcess, child_process
from tests.support.settings import process_environment
from tests.support.waiting import wait_until

PASSWORD = "canary-password-71d0"
NEW_PASSWORD = "canary-password-82e1"
NATS_PASSWORD = "canary-nats-password"


def environment_of(settings: AuthSettings) -> dict[str, str]:
    """The variables that an operator must set, and the test's own database."""
    return process_environment() | {
        "TRADEDAD_AUTH_KEYS_DIR": str(settings.keys_dir),
        "TRADEDAD_AUTH_PEPPER": PEPPER,
        "TRADEDAD_AUTH_NATS_PASSWORD": NATS_PASSWORD,
        "TRADEDAD_AUTH_BCRYPT_COST": "10",
        "TRADEDAD_MONGO_URL": settings.mongo.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": settings.mongo.database,
    }


class AuthProcess(ChildProcess):
    """``python -m services.auth`` with these settings, and a log of either format."""

    def __init__(self, settings: AuthSettings, log_format: str) -> None:
        environment = environment_of(settings) | {
            "TRADEDAD_AUTH_PORT": "0",
            "TRADEDAD_AUTH_OPS_PORT": "0",
            "TRADEDAD_NATS_URL": "nats://127.0.0.1:1",
            "TRADEDAD_LOG_FORMAT": log_format,
            "TRADEDAD_LOG_LEVEL": "debug",
        }
        super().__init__("auth", [sys.executable, "-m", "services.auth"], environment)

    def port_of(self, event: str) -> int:
        """The port in the line of the log about an event, once there is one."""

        def look() -> int | None:
            has_ended = not self.is_running
            plain = re.sub(r"\x1b\[[0-9;]*m", "", self.log())
            lines = [line for line in plain.splitlines() if event in line]
            if lines:
                return int(re.findall(r'port"?[=:] ?(\d+)', lines[0])[0])
            assert not has_ended, f"auth ended without {event!r}: {self.log()}"
            return None

        port = wait_until(look, what=f"auth logs {event!r}")
        assert port is not None
        return port

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        self.send_signal(signal.SIGTERM)
        return self.wait_exit()


class Client:
    """Sends requests, and collects every secret: none of them may appear anywhere."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.canaries = {PASSWORD, NEW_PASSWORD, PEPPER, NATS_PASSWORD}
        self.errors = ""

    def request(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "User-Agent": "canary"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECS) as response:
                text = response.read().decode()
                status = response.status
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
                status = error.code
                self.errors += text
        body = json.loads(text) if text.startswith("{") else text
        if isinstance(body, dict):
            names = ("access_token", "refresh_token", "device_token")
            self.canaries |= {body[name] for name in names if name in body}
        return status, body


@pytest.fixture(params=["json", "console"])
def process(settings: AuthSettings, request: pytest.FixtureRequest) -> Iterator[AuthProcess]:
    process = AuthProcess(settings, request.param)
    with child_process(process):
        yield process


def test_no_secret_is_in_a_log_an_error_a_metric_or_the_database_even_after_a_failure(
    process: AuthProcess, settings: AuthSettings
) -> None:
    client = Client(process.port_of("auth is listening"))
    credentials = {"email": "ann@example.com", "password": PASSWORD}
    wrong = {"email": "ann@example.com", "password": PASSWORD + "!"}
    statuses = [
        client.request("POST", "/auth/signup", credentials)[0],
        client.request("POST", "/auth/signup", credentials)[0],
        client.request("POST", "/auth/signup", {"email": PASSWORD, "password": PASSWORD})[0],
        client.request("POST", "/auth/login", wrong)[0],
    ]
    _, login = client.request("POST", "/auth/login", credentials)
    token = login["access_token"]
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    statuses += [
        client.request("POST", "/auth/refresh", {"refresh_token": login["refresh_token"]})[0],
        client.request("POST", "/auth/refresh", {"refresh_token": "x" + login["refresh_token"]})[0],
        client.request("GET", "/auth/me", token=token + "x")[0],
        client.request("POST", "/auth/password", change | {"current_password": "wrong"}, token)[0],
        client.request("POST", "/auth/password", change, token)[0],
    ]
    assert statuses == [201, 409, 422, 401, 200, 401, 401, 401, 200]
    with MongoClient[dict[str, Any]](settings.mongo.url.get_secret_value()) as mongo:
        # A stored hash that cannot be parsed is an unexpected error, logged with its traceback.
        users = mongo[settings.mongo.database]["users"]
        users.update_one({}, {"$set": {"password_hash": "v9$unreadable"}})
        assert client.request("POST", "/auth/login", credentials)[0] == 500
        stored = "".join(
            repr(list(mongo[settings.mongo.database][name].find()))
            for name in mongo[settings.mongo.database].list_collection_names()
        )
    url = f"http://127.0.0.1:{process.port_of('operations port open')}/metrics"
    with urllib.request.urlopen(url, timeout=PATIENCE_SECS) as response:
        metrics = response.read().decode()
    assert process.terminate() == exit_codes.OK
    assert "request failed" in process.log()
    assert "unknown scheme" in process.log()
    assert 'tradedad_auth_requests_total{operation="login",outcome="failed"} 1.0' in metrics
    assert len(client.canaries) == 4 + 5, "a login and a refresh return tokens"
    for where in (process.log(), client.errors, metrics, stored):
        assert [canary for canary in client.canaries if canary in where] == []


def test_a_command_rotates_the_keys(settings: AuthSettings) -> None:
    def rotate() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "operations", "keys", "rotate-signing"],
            cwd=ROOT,
            env=environment_of(settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECS,
            check=False,
        )

    done = rotate()
    assert done.returncode == exit_codes.OK
    assert "is published now and signs from" in done.stdout
    assert len(list(settings.keys_dir.iterdir())) == 2
    again = rotate()
    assert again.returncode == exit_codes.CONFIG
    assert "a rotation is pending: key" in again.stderr
    assert "signs from" in again.stderr
