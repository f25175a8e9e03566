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
from shared import exit_codes
from tests.support.auth_service import PEPPER

ROOT = Path(__file__).parents[3]
PASSWORD = "canary-password-71d0"

pytestmark = pytest.mark.timeout(60)


class Process:
    """`python -m services.auth` with these settings; `log` is what it has written so far."""

    def __init__(self, settings: AuthSettings, log_format: str) -> None:
        environ = {
            "TRADEDAD_AUTH_PORT": "0",
            "TRADEDAD_AUTH_OPS_PORT": "0",
            "TRADEDAD_AUTH_KEYS_DIR": str(settings.keys_dir),
            "TRADEDAD_AUTH_PEPPER": PEPPER,
            "TRADEDAD_AUTH_NATS_PASSWORD": "test-password",
            "TRADEDAD_AUTH_BCRYPT_COST": "10",
            "TRADEDAD_MONGO_URL": settings.mongo.url.get_secret_value(),
            "TRADEDAD_MONGO_DATABASE": settings.mongo.database,
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
            if "auth is open" in plain:
                [port] = re.findall(r'port"?[=:] ?(\d+)', plain)
                return int(port)
        raise AssertionError(f"auth ended before it was open: {self.log}")

    def stop(self) -> int:
        """Its exit code after SIGTERM."""
        if self._popen.returncode is None:
            self._popen.send_signal(signal.SIGTERM)
            _, rest = self._popen.communicate(timeout=20)
            self.log += rest
        return self._popen.returncode


def post(port: int, path: str, body: dict[str, Any]) -> tuple[int, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=json.dumps(body).encode(), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture(params=["json", "console"])
def process(settings: AuthSettings, request: pytest.FixtureRequest) -> Iterator[Process]:
    process = Process(settings, request.param)
    yield process
    process.stop()


def test_it_serves_until_told_to_stop_and_logs_no_secret_even_when_it_fails(
    process: Process, settings: AuthSettings
) -> None:
    port = process.wait_for_port()
    credentials = {"email": "ann@example.com", "password": PASSWORD}
    signup = post(port, "/auth/signup", credentials)
    login = post(port, "/auth/login", credentials)
    with MongoClient[dict[str, Any]](settings.mongo.url.get_secret_value()) as client:
        # A stored hash that cannot be read is an unforeseen error, logged with its traceback.
        users = client[settings.mongo.database]["users"]
        users.update_one({}, {"$set": {"password_hash": "v9$unreadable"}})
        failed = post(port, "/auth/login", credentials)
        client.drop_database(settings.mongo.database)
    assert [signup[0], login[0], failed[0]] == [201, 200, 500]
    assert json.loads(failed[1])["code"] == "internal"
    assert process.stop() == exit_codes.OK
    assert "request failed" in process.log
    assert "unknown scheme" in process.log
    for canary in (PASSWORD, PEPPER, json.loads(login[1])["access_token"]):
        assert canary not in process.log
        assert canary not in signup[1] + failed[1]
