"""An outage of NATS or MongoDB makes services not ready, and ends none of them."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from embedded.ports import free_stack_ports
from embedded.settings import SERVICES
from embedded.stack import Stack
from tests.e2e.conftest import START_SECS
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import wait_until

USERS_OF = {
    "nats": ("nats-server", {"ingest", "persister", "trading", "gateway"}),
    "mongodb": ("mongod", {"auth", "persister", "trading"}),
}


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECS) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def processes(stack: Stack) -> dict[str, int]:
    """Process ids of the stack's daemons and services, by name."""
    pids = {}
    assert stack._process is not None
    for process in psutil.Process(stack._process.pid).children(recursive=True):
        command = process.cmdline()
        if "embedded.supervisor" in command or not command:
            continue
        if command[-1].startswith("services."):
            pids[command[-1].removeprefix("services.")] = process.pid
        elif Path(command[0]).name in ("nats-server", "mongod"):
            pids[Path(command[0]).name] = process.pid
    return pids


def test_every_service_serves_its_health_readiness_and_metrics(stack: Stack) -> None:
    assert set(stack.plan.ops_urls) == set(SERVICES)
    for name, url in stack.plan.ops_urls.items():
        status, body = get(f"{url}/healthz")
        assert (status, json.loads(body)) == (200, {"status": "ok", "service": name})
        status, body = get(f"{url}/readyz")
        assert (status, json.loads(body)["ready"]) == (200, True)
        status, body = get(f"{url}/metrics")
        assert status == 200
        assert "process_cpu_seconds_total" in body
        assert f"tradedad_{name}_" in body


@pytest.mark.parametrize("dependency", USERS_OF)
def test_services_are_not_ready_during_an_outage_and_none_of_them_restarts(
    stack: Stack, dependency: str
) -> None:
    program, users = USERS_OF[dependency]
    before = processes(stack)
    urls = {name: stack.plan.ops_urls[name] for name in users}
    supervisor = psutil.Process(before[program]).parent()
    assert supervisor is not None

    def all_not_ready() -> bool:
        return all(dependency in get(f"{url}/readyz")[1] for url in urls.values())

    def all_ready() -> bool:
        return all(get(f"{url}/readyz")[0] == 200 for url in urls.values())

    supervisor.suspend()  # it would start the daemon again at once
    os.kill(before[program], signal.SIGKILL)
    wait_until(all_not_ready, what=f"{users} are not ready")
    supervisor.resume()
    wait_until(all_ready, what=f"{users} are ready again")
    assert all(get(f"{url}/healthz")[0] == 200 for url in urls.values())
    after = processes(stack)
    assert after.pop(program) != before.pop(program)
    for services in (before, after):
        for daemon in ("nats-server", "mongod"):
            services.pop(daemon, None)
    assert after == before, "a service was restarted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stack_does_not_outlive_its_command(tmp_path: Path, number: signal.Signals) -> None:
    ports = {name: str(port) for name, port in free_stack_ports().items()}
    environment = (
        os.environ
        | ports
        | {
            "TRADEDAD_STACK_DATA_DIR": str(tmp_path / "data"),
            "TRADEDAD_STACK_START_TIMEOUT_SECS": f"{START_SECS:g}",
        }
    )
    command = [sys.executable, "-m", "embedded", "run"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    wait_until(
        lambda: b"Trade Dad is ready." in (tmp_path / "log").read_bytes(),
        what="the stack is ready",
        timeout_secs=START_SECS,
    )
    descendants = psutil.Process(process.pid).children(recursive=True)
    assert len(descendants) > len(SERVICES)
    process.send_signal(number)
    code = process.wait(PATIENCE_SECS)
    _, alive = psutil.wait_procs(descendants, timeout=PATIENCE_SECS)
    assert alive == []
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
