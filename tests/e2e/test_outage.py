"""An outage of NATS or MongoDB makes services unready, and kills none of them."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from embedded.plan import prepare
from embedded.ports import free_stack_ports
from embedded.settings import SERVICES
from embedded.stack import Stack

USERS_OF = {
    "nats": ("nats-server", {"ingest", "persister", "gateway"}),
    "mongodb": ("mongod", {"auth", "persister"}),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    plan = prepare(data_dir=folder / "data", use_free_ports=True, always_simulated=True)
    with (folder / "log").open("wb") as output, Stack(plan, output) as stack:
        stack.wait_ready(60)
        yield stack


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def processes(stack: Stack) -> dict[str, int]:
    """Process ids of the stack's daemons and services, by name."""
    found = {}
    assert stack._process is not None
    for process in psutil.Process(stack._process.pid).children(recursive=True):
        command = process.cmdline()
        if "embedded.supervisor" in command or not command:
            continue
        if command[-1].startswith("services."):
            found[command[-1].removeprefix("services.")] = process.pid
        elif Path(command[0]).name in ("nats-server", "mongod"):
            found[Path(command[0]).name] = process.pid
    return found


def wait_until(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.timeout(120)
def test_every_service_tells_its_health_readiness_and_metrics(stack: Stack) -> None:
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


@pytest.mark.timeout(120)
@pytest.mark.parametrize("dependency", USERS_OF)
def test_an_outage_turns_readiness_off_and_on_and_no_service_dies(
    stack: Stack, dependency: str
) -> None:
    program, users = USERS_OF[dependency]
    before = processes(stack)
    urls = {name: stack.plan.ops_urls[name] for name in users}
    supervisor = psutil.Process(before[program]).parent()
    assert supervisor is not None

    def all_unready() -> bool:
        return all(dependency in get(f"{url}/readyz")[1] for url in urls.values())

    def all_ready() -> bool:
        return all(get(f"{url}/readyz")[0] == 200 for url in urls.values())

    supervisor.suspend()  # it would start the daemon again before we have looked
    os.kill(before[program], signal.SIGKILL)
    wait_until(all_unready, f"all of {users} are unready")
    supervisor.resume()
    wait_until(all_ready, f"all of {users} are ready again")
    assert all(get(f"{url}/healthz")[0] == 200 for url in urls.values())
    after = processes(stack)
    assert after.pop(program) != before.pop(program)
    for services in (before, after):
        for daemon in ("nats-server", "mongod"):
            services.pop(daemon, None)
    assert after == before, "no service was restarted"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stack_does_not_outlive_its_command(tmp_path: Path, number: signal.Signals) -> None:
    ports = {name: str(port) for name, port in free_stack_ports().items()}
    environment = os.environ | ports | {"TRADEDAD_STACK_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "embedded", "run"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    wait_until(lambda: b"Trade Dad is ready." in (tmp_path / "log").read_bytes(), "it is ready")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) > len(SERVICES)
    process.send_signal(number)
    code = process.wait(20)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
