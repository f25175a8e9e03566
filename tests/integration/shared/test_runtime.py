"""A service as a real process: how it starts, what it reports, how it stops."""

import json
import os
import resource
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import version

import psutil
import pytest

from shared.runtime import exit_codes
from shared.runtime.build_info import DISTRIBUTION
from tests.support.minimal_service import Mode
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ChildProcess, child_process
from tests.support.waiting import wait_until

CANARY = "canary-secret-41bd"


class MinimalService(ChildProcess):
    """The minimal service in one of its modes."""

    def __init__(self, mode: Mode, environment: dict[str, str]) -> None:
        patient = {"TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS": f"{PATIENCE_SECS:g}"}
        super().__init__(
            f"minimal service that {mode}",
            [sys.executable, "-m", "tests.support.minimal_service"],
            os.environ | patient | {"TRADEDAD_MINIMAL_MODE": mode.value} | environment,
        )

    @property
    def max_open_files(self) -> int:
        soft, _ = psutil.Process(self.pid).rlimit(psutil.RLIMIT_NOFILE)
        return soft

    def wait_for_port(self) -> int:
        """The operations port, once it is open."""
        return int(self.wait_for_entry("operations port open")["port"])

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        self.send_signal(signal.SIGTERM)
        return self.wait_exit()

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.log_entries()]


Start = Callable[..., MinimalService]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts minimal services, and ends them after the test."""
    with ExitStack() as stack:

        def start_one(mode: Mode, **environment: str) -> MinimalService:
            process = MinimalService(mode, environment)
            stack.enter_context(child_process(process))
            return process

        yield start_one


def get(port: int, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECS) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_service_serves_its_operations_port_and_exits_with_0_after_sigterm(start: Start) -> None:
    process = start(Mode.RUNS)
    port = process.wait_for_port()
    process.wait_for_entry("ready")
    assert get(port, "/healthz") == (200, '{"status": "ok", "service": "minimal"}')
    status, body = get(port, "/readyz")
    assert (status, json.loads(body)) == (
        200,
        {"ready": True, "service": "minimal", "waiting_for": {}},
    )
    status, body = get(port, "/metrics")
    assert status == 200
    assert 'tradedad_dependency_up{dependency="startup"} 1.0' in body
    assert f'tradedad_build_info{{version="{version(DISTRIBUTION)}"}} 1.0' in body
    wait_until(
        lambda: "tradedad_event_loop_lag_seconds_count 0.0" not in get(port, "/metrics")[1],
        what="the lag of the event loop is measured",
    )
    assert process.terminate() == exit_codes.OK
    stop = ["stopping", "not ready", "component stopped", "outer closed", "stopped"]
    assert process.events()[-5:] == stop


@pytest.mark.parametrize(
    ("request_line", "status"),
    [(f"Authorization : Bearer {CANARY}", 400), (f"Authorization: {CANARY * 1_000}", 431)],
)
def test_a_malformed_http_request_is_logged_at_debug_level_without_its_text(
    start: Start, request_line: str, status: int
) -> None:
    process = start(Mode.RUNS, TRADEDAD_LOG_LEVEL="debug")
    port = process.wait_for_port()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECS) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: x\r\n{request_line}\r\n\r\n".encode())
        assert f" {status} ".encode() in connection.recv(1_000)
    assert process.wait_for_entry("malformed HTTP request")["level"] == "debug"
    process.terminate()
    assert CANARY not in process.log()


def test_objects_of_the_start_are_excluded_from_garbage_collection(start: Start) -> None:
    process = start(Mode.RUNS)
    assert process.wait_for_entry("component running")["objects_never_collected"] > 10_000


def test_a_service_that_waits_to_start_is_alive_and_not_ready_and_can_be_stopped(
    start: Start,
) -> None:
    process = start(Mode.WAITS_TO_START)
    port = process.wait_for_port()
    process.wait_for_entry("not ready", dependency="database")
    assert get(port, "/healthz")[0] == 200
    status, body = get(port, "/readyz")
    assert status == 503
    assert json.loads(body)["waiting_for"] == {"startup": "starting", "database": "no answer"}
    process.send_signal(signal.SIGINT)
    assert process.wait_exit() == exit_codes.OK


def test_an_unknown_setting_is_one_line_and_exit_code_78(start: Start) -> None:
    process = start(Mode.RUNS, TRADEDAD_MINIMAL_MOOD="good", TRADEDAD_MINIMAL_PEPPER=CANARY)
    assert process.wait_exit() == exit_codes.CONFIG == 78
    expected = (
        "minimal: TRADEDAD_MINIMAL_MOOD is not a setting; did you mean TRADEDAD_MINIMAL_MODE?"
    )
    assert process.log().splitlines() == [expected]


def test_every_invalid_setting_has_a_line_with_its_value_unless_it_is_a_secret(
    start: Start,
) -> None:
    process = start(
        Mode.RUNS,
        TRADEDAD_MINIMAL_MODE="jumps",
        TRADEDAD_MINIMAL_OPS_PORT="-1",
        TRADEDAD_MINIMAL_PEPPER=CANARY * 3,
    )
    assert process.wait_exit() == exit_codes.CONFIG
    lines = process.log().splitlines()
    assert [line[: line.index(": m")] for line in lines] == [
        "minimal: TRADEDAD_MINIMAL_OPS_PORT: '-1'",
        "minimal: TRADEDAD_MINIMAL_MODE: 'jumps'",
        "minimal: TRADEDAD_MINIMAL_PEPPER",
    ]
    assert CANARY not in process.log()


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (Mode.FAILS, exit_codes.FAILED),
        (Mode.RETURNS, exit_codes.FAILED),
        (Mode.LOSES_BUS, exit_codes.TEMPFAIL),
    ],
)
def test_a_component_that_ends_stops_the_others_and_the_process(
    start: Start, mode: Mode, code: int
) -> None:
    process = start(mode)
    assert process.wait_exit() == code
    events = process.events()
    assert events.index("component stopped") < events.index("outer closed")


@pytest.mark.parametrize("mode", [Mode.CANNOT_START, Mode.TAKES_OWN_PORT])
def test_a_setting_that_turns_out_to_be_invalid_at_the_start_is_exit_code_78(
    start: Start, mode: Mode
) -> None:
    process = start(mode)
    assert process.wait_exit() == exit_codes.CONFIG
    assert "outer closed" in process.events()
    assert "Traceback" not in process.log()


def test_an_operations_port_that_is_taken_is_exit_code_78(start: Start) -> None:
    first = start(Mode.RUNS)
    port = first.wait_for_port()
    second = start(Mode.RUNS, TRADEDAD_MINIMAL_OPS_PORT=str(port))
    assert second.wait_exit() == exit_codes.CONFIG
    assert f"port {port}" in second.log()


@pytest.mark.parametrize("mode", [Mode.HANGS, Mode.HANGS_IN_THREAD])
def test_a_stop_that_exceeds_its_deadline_is_aborted(start: Start, mode: Mode) -> None:
    process = start(mode, TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS="0.3")
    process.wait_for_entry("ready")
    assert process.terminate() == exit_codes.FAILED
    assert process.events()[-1] == "shutdown deadline passed, exiting at once"


def test_a_component_that_does_not_stop_after_another_failed_is_aborted_too(start: Start) -> None:
    process = start(Mode.FAILS_AND_HANGS, TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS="0.3")
    assert process.wait_exit() == exit_codes.FAILED
    assert process.events()[-1] == "shutdown deadline passed, exiting at once"
    assert "on purpose" in process.log()


def test_a_service_that_is_stopping_is_not_ready(start: Start) -> None:
    process = start(Mode.HANGS)
    port = process.wait_for_port()
    process.wait_for_entry("ready")
    process.send_signal(signal.SIGTERM)
    process.wait_for_entry("not stopping")
    status, body = get(port, "/readyz")
    assert status == 503
    assert json.loads(body)["waiting_for"] == {"shutdown": "this process is stopping"}
    assert process.terminate() == exit_codes.FAILED


def test_a_second_signal_ends_the_process_at_once(start: Start) -> None:
    process = start(Mode.HANGS, TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS="3600")
    process.wait_for_entry("ready")
    process.send_signal(signal.SIGTERM)
    process.wait_for_entry("not stopping")
    assert process.terminate() == exit_codes.FAILED


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_log_of_a_failure_has_a_traceback_and_no_secret(start: Start, log_format: str) -> None:
    process = start(
        Mode.FAILS,
        TRADEDAD_MINIMAL_PEPPER=CANARY,
        TRADEDAD_LOG_FORMAT=log_format,
        TRADEDAD_LOG_LEVEL="debug",
    )
    assert process.wait_exit() == exit_codes.FAILED
    text = process.log()
    assert "ZeroDivisionError" in text
    assert "_run_component" in text
    assert CANARY not in text


def test_a_service_raises_its_limit_of_open_files(start: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        process = start(Mode.RUNS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    process.wait_for_port()
    assert process.max_open_files == hard


def test_probes_are_answered_while_more_connections_are_idle_than_descriptors_exist(
    start: Start,
) -> None:
    process = start(Mode.RUNS)
    port = process.wait_for_port()
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_NOFILE, (128, 128))
    with ExitStack() as stack:
        for _ in range(280):
            idle = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECS)
            stack.enter_context(idle)
        wait_until(
            lambda: psutil.Process(process.pid).num_fds() < 100, what="idle connections are closed"
        )
        for path in ("/healthz", "/readyz", "/metrics"):
            assert get(port, path)[0] == 200
