"""The real process: how it starts, what it logs, how it stops."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from services.auth.settings import AuthSettings
from shared.runtime import exit_codes
from tests.support.auth_service import PEPPER

ROOT = Path(__file__).parents[3]
PASSWORD = "canary-password-71d0"
NEW_PASSWORD = "canary-password-82e1"
NATS_PASSWORD = "canary-nats-password"

pytestmark = pytest.mark.timeout(60)


def environ_of(settings: AuthSettings) -> dict[str, str]:
    """What an operator must set, and the test's own database."""
    return {
        "TRADEDAD_AUTH_KEYS_DIR": str(settings.keys_dir),
        "TRADEDAD_AUTH_PEPPER": PEPPER,
        "TRADEDAD_AUTH_NATS_PASSWORD": NATS_PASSWORD,
        "TRADEDAD_AUTH_BCRYPT_COST": "10",
        "TRADEDAD_MONGO_URL": settings.mongo.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": settings.mongo.database,
    }


class Process:
    """`python -m services.auth` with these settings; `log` is what it has written so far."""

    def __init__(self, settings: AuthSettings, log_format: str) -> None:
        environ = environ_of(settings) | {
            "TRADEDAD_AUTH_PORT": "0",
            "TRADEDAD_AUTH_OPS_PORT": "0",
            "TRADEDAD_NATS_URL": "nats://127.0.0.1:1",
            "TRADEDAD_LOG_FORMAT": log_format,
            "TRADEDAD_LOG_LEVEL": "debug",
        }
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "services.auth"],
            cwd=ROOT,
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log = ""

    def wait_for_port(self) -> int:
        assert self._popen.stderr is not None
        for line in self._popen.stderr:
            self.log += line
            plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
            if "auth is listening" in plain:
                [port] = re.findall(r'port"?[=:] ?(\d+)', plain)
                return int(port)
        raise AssertionError(f"auth ended before it was open: {self.log}")

    def ops_port(self) -> int:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", self.log)
        [line] = [line for line in plain.splitlines() if "operations port open" in line]
        return int(re.findall(r'port"?[=:] ?(\d+)', line)[0])

    def stop(self) -> int:
        """Its exit code after SIGTERM."""
        if self._popen.returncode is None:
            self._popen.send_signal(signal.SIGTERM)
            _, rest = self._popen.communicate(timeout=20)
            self.log += rest
        return self._popen.returncode


class Client:
    """Asks the process, and remembers what it must not find anywhere: every secret."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.canaries = {PASSWORD, NEW_PASSWORD, PEPPER, NATS_PASSWORD}
        self.errors = ""

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "User-Agent": "canary"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                text = response.read().decode()
                status = response.status
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
                status = error.code
                self.errors += text
        answer = json.loads(text) if text.startswith("{") else text
        if isinstance(answer, dict):
            names = ("access_token", "refresh_token", "device_token")
            self.canaries |= {answer[name] for name in names if name in answer}
        return status, answer


@pytest.fixture(params=["json", "console"])
def process(settings: AuthSettings, request: pytest.FixtureRequest) -> Iterator[Process]:
    process = Process(settings, request.param)
    yield process
    process.stop()


def test_it_serves_until_told_to_stop_and_tells_no_secret_even_when_it_fails(
    process: Process, settings: AuthSettings
) -> None:
    client = Client(process.wait_for_port())
    credentials = {"email": "ann@example.com", "password": PASSWORD}
    wrong = {"email": "ann@example.com", "password": PASSWORD + "!"}
    statuses = [
        client.ask("POST", "/auth/signup", credentials)[0],
        client.ask("POST", "/auth/signup", credentials)[0],
        client.ask("POST", "/auth/signup", {"email": PASSWORD, "password": PASSWORD})[0],
        client.ask("POST", "/auth/login", wrong)[0],
    ]
    _, login = client.ask("POST", "/auth/login", credentials)
    token = login["access_token"]
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    statuses += [
        client.ask("POST", "/auth/refresh", {"refresh_token": login["refresh_token"]})[0],
        client.ask("POST", "/auth/refresh", {"refresh_token": "x" + login["refresh_token"]})[0],
        client.ask("GET", "/auth/me", token=token + "x")[0],
        client.ask("POST", "/auth/password", change | {"current_password": "wrong"}, token)[0],
        client.ask("POST", "/auth/password", change, token)[0],
    ]
    assert statuses == [201, 409, 422, 401, 200, 401, 401, 401, 200]
    with MongoClient[dict[str, Any]](settings.mongo.url.get_secret_value()) as mongo:
        # A stored hash that cannot be read is an unforeseen error, logged with its traceback.
        users = mongo[settings.mongo.database]["users"]
        users.update_one({}, {"$set": {"password_hash": "v9$unreadable"}})
        assert client.ask("POST", "/auth/login", credentials)[0] == 500
        kept = "".join(
            repr(list(mongo[settings.mongo.database][name].find()))
            for name in mongo[settings.mongo.database].list_collection_names()
        )
        mongo.drop_database(settings.mongo.database)
    url = f"http://127.0.0.1:{process.ops_port()}/metrics"
    with urllib.request.urlopen(url, timeout=10) as response:
        metrics = response.read().decode()
    assert process.stop() == exit_codes.OK
    assert "request failed" in process.log
    assert "unknown scheme" in process.log
    assert 'tradedad_auth_requests_total{operation="login",outcome="failed"} 1.0' in metrics
    assert len(client.canaries) == 4 + 5, "a login and a refresh have given tokens"
    for where in (process.log, client.errors, metrics, kept):
        assert [canary for canary in client.canaries if canary in where] == []


def test_keys_are_rotated_by_a_command(settings: AuthSettings) -> None:
    def rotate() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "services.auth.rotate_keys"],
            cwd=ROOT,
            env=environ_of(settings),
            capture_output=True,
            text=True,
            timeout=30,
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
