"""A service as a real process: how it starts, what it says of itself, how it stops."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.runtime import exit_codes
from tests.support.tiny_service import Mode

ROOT = Path(__file__).parents[3]
CANARY = "canary-secret-41bd"


class Process:
    """The tiny service in one of its modes; `log` holds the lines it has written so far."""

    def __init__(self, mode: Mode, **environ: str) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("TRADEDAD_")
        }
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.support.tiny_service"],
            cwd=ROOT,
            env={**inherited, "TRADEDAD_TINY_MODE": mode.value, **environ},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []

    @property
    def most_files(self) -> int:
        """How many it may have open."""
        soft, _ = psutil.Process(self._popen.pid).rlimit(psutil.RLIMIT_NOFILE)
        return soft

    def wait_for(self, event: str) -> dict[str, Any]:
        """The first line about `event`, from where reading has come to."""
        assert self._popen.stderr is not None
        for line in self._popen.stderr:
            self.log.append(line)
            if line.startswith("{"):
                facts: dict[str, Any] = json.loads(line)
                if facts["event"] == event:
                    return facts
        raise AssertionError(f"it ended without {event!r}: {self.log}")

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def end(self, timeout_secs: float = 20.0) -> int:
        """Its exit code; reads the rest of its log."""
        _, rest = self._popen.communicate(timeout=timeout_secs)
        self.log += rest.splitlines()
        return self._popen.returncode

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log if line.startswith("{")]

    def close(self) -> None:
        self._popen.kill()
        self._popen.communicate()


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Process] = []

    def begin(mode: Mode, **environ: str) -> Process:
        started.append(Process(mode, **environ))
        return started[-1]

    yield begin
    for process in started:
        process.close()


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_serves_its_operations_port_and_stops_with_0_when_asked_to(start: Start) -> None:
    process = start(Mode.RUNS)
    port = process.wait_for("operations port open")["port"]
    process.wait_for("ready")
    assert ask(port, "/healthz") == (200, '{"status": "ok", "service": "tiny"}')
    status, body = ask(port, "/readyz")
    assert (status, json.loads(body)) == (
        200,
        {"ready": True, "service": "tiny", "waiting_for": {}},
    )
    status, body = ask(port, "/metrics")
    assert status == 200
    assert 'tradedad_dependency_up{dependency="startup"} 1.0' in body
    process.send(signal.SIGTERM)
    assert process.end() == exit_codes.OK
    assert process.events()[-4:] == ["stopping", "component stopped", "outer closed", "stopped"]


@pytest.mark.parametrize(
    "request_line", [f"Authorization : Bearer {CANARY}", f"Authorization: {CANARY * 1_000}"]
)
def test_a_request_that_is_no_http_is_no_error_of_ours_and_not_quoted(
    start: Start, request_line: str
) -> None:
    process = start(Mode.RUNS, TRADEDAD_LOG_LEVEL="debug")
    port = process.wait_for("operations port open")["port"]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: x\r\n{request_line}\r\n\r\n".encode())
        assert b" 400 " in connection.recv(1_000)
    assert process.wait_for("malformed HTTP request")["level"] == "debug"
    process.send(signal.SIGTERM)
    process.end()
    assert CANARY not in "".join(process.log)


def test_what_it_is_made_of_does_not_keep_the_garbage_collector_busy(start: Start) -> None:
    process = start(Mode.RUNS)
    assert process.wait_for("component runs")["objects_never_collected"] > 10_000


def test_while_it_waits_to_start_it_is_alive_and_not_ready_and_can_be_stopped(
    start: Start,
) -> None:
    process = start(Mode.WAITS_TO_START)
    port = process.wait_for("operations port open")["port"]
    while process.wait_for("not ready")["dependency"] != "gas":
        pass
    assert ask(port, "/healthz")[0] == 200
    status, body = ask(port, "/readyz")
    assert status == 503
    assert json.loads(body)["waiting_for"] == {"startup": "starting", "gas": "no pressure"}
    process.send(signal.SIGINT)
    assert process.end() == exit_codes.OK


def test_a_wrong_setting_is_one_line_and_exit_code_78(start: Start) -> None:
    process = start(Mode.RUNS, TRADEDAD_TINY_MOOD="good", TRADEDAD_TINY_PEPPER=CANARY)
    assert process.end() == exit_codes.CONFIG == 78
    expected = "tiny: TRADEDAD_TINY_MOOD is not a setting; did you mean TRADEDAD_TINY_MODE?"
    assert process.log == [expected]


def test_every_wrong_setting_has_a_line_and_none_echoes_a_value(start: Start) -> None:
    process = start(Mode.RUNS, TRADEDAD_TINY_MODE=CANARY, TRADEDAD_TINY_OPS_PORT="-1")
    assert process.end() == exit_codes.CONFIG
    assert [line.split(":")[1].strip() for line in process.log] == [
        "TRADEDAD_TINY_OPS_PORT",
        "TRADEDAD_TINY_MODE",
    ]
    assert CANARY not in "".join(process.log)


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (Mode.FAILS, exit_codes.FAILED),
        (Mode.RETURNS, exit_codes.FAILED),
        (Mode.LOSES_BUS, exit_codes.TEMPFAIL),
    ],
)
def test_a_part_that_ends_stops_the_others_and_the_process(
    start: Start, mode: Mode, code: int
) -> None:
    process = start(mode)
    assert process.end() == code
    events = process.events()
    assert events.index("component stopped") < events.index("outer closed")


@pytest.mark.parametrize("mode", [Mode.CANNOT_START, Mode.TAKES_OWN_PORT])
def test_a_setting_that_turns_out_wrong_at_the_start_is_exit_code_78(
    start: Start, mode: Mode
) -> None:
    process = start(mode)
    assert process.end() == exit_codes.CONFIG
    assert "outer closed" in process.events()
    assert "Traceback" not in "".join(process.log)


def test_an_operations_port_that_is_taken_is_exit_code_78(start: Start) -> None:
    first = start(Mode.RUNS)
    port = first.wait_for("operations port open")["port"]
    second = start(Mode.RUNS, TRADEDAD_TINY_OPS_PORT=str(port))
    assert second.end() == exit_codes.CONFIG
    assert f"port {port}" in "".join(second.log)


@pytest.mark.parametrize("mode", [Mode.HANGS, Mode.HANGS_IN_THREAD])
def test_a_stop_that_takes_longer_than_its_deadline_is_cut_short(start: Start, mode: Mode) -> None:
    process = start(mode, TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS="0.3")
    process.wait_for("ready")
    process.send(signal.SIGTERM)
    assert process.end(10) == exit_codes.FAILED
    assert process.events()[-1] == "shutdown deadline passed, exiting at once"


def test_a_part_that_does_not_stop_when_another_fails_is_cut_short_too(start: Start) -> None:
    process = start(Mode.FAILS_AND_HANGS, TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS="0.3")
    assert process.end(10) == exit_codes.FAILED
    assert process.events()[-1] == "shutdown deadline passed, exiting at once"
    assert "on purpose" in "".join(process.log)


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    process = start(Mode.HANGS, TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS="50")
    process.wait_for("ready")
    process.send(signal.SIGTERM)
    process.wait_for("not stopping")
    process.send(signal.SIGTERM)
    assert process.end(10) == exit_codes.FAILED


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_log_of_a_failure_has_its_traceback_and_no_secret(
    start: Start, log_format: str
) -> None:
    process = start(
        Mode.FAILS,
        TRADEDAD_TINY_PEPPER=CANARY,
        TRADEDAD_LOG_FORMAT=log_format,
        TRADEDAD_LOG_LEVEL="debug",
    )
    assert process.end() == exit_codes.FAILED
    text = "\n".join(process.log)
    assert "ZeroDivisionError" in text
    assert "_run_component" in text
    assert CANARY not in text


def test_it_may_have_more_files_open_than_a_shell_starts_with(start: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        process = start(Mode.RUNS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    process.wait_for("operations port open")
    assert process.most_files == hard
