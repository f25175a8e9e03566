"""A server that hangs is ended and started again, and the reserve of space follows the disk."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from embedded import nats_supervisor
from embedded.nats_supervisor import DiskReserve, NatsSupervisor
from embedded.ports import free_ports
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import wait_until

SERVER: Final = """
import http.server, os, sys
print(os.getpid(), file=open(sys.argv[2], 'a'), flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == '/jsz' else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
"""


@contextmanager
def supervised(tmp_path: Path) -> Iterator[Path]:
    """Run a server that answers like nats-server; yields the file with its process ids."""
    (port,) = free_ports(1)
    pids = tmp_path / "pids"
    command = [sys.executable, "-c", SERVER, str(port), str(pids)]
    reserve = DiskReserve(tmp_path / "reserve", 0)
    supervisor = NatsSupervisor(command, f"http://127.0.0.1:{port}/jsz", reserve)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield pids
    finally:
        supervisor.stop(signal.SIGTERM, None)
        thread.join(PATIENCE_SECS)
        assert not thread.is_alive()


def started(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().split()] if pids.exists() else []


def test_a_server_that_stops_answering_is_killed_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nats_supervisor, "_PROBE_TIMEOUT_SECS", 0.2)
    answered = threading.Event()
    answers = NatsSupervisor._answers

    def note(self: NatsSupervisor) -> bool:
        result = answers(self)
        if result:
            answered.set()
        return result

    monkeypatch.setattr(NatsSupervisor, "_answers", note)
    with supervised(tmp_path) as pids:
        assert answered.wait(PATIENCE_SECS)
        os.kill(started(pids)[0], signal.SIGSTOP)
        wait_until(lambda: len(started(pids)) == 2, what="the server is started again")
    assert "nats-server hangs" in capfd.readouterr().out


def test_a_server_that_has_not_answered_yet_is_left_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask_in_vain(monkeypatch)
    with supervised(tmp_path) as pids:
        wait_until(lambda: started(pids), what="the server runs")
        most = asked[0] + 3 * nats_supervisor._MAX_FAILURES
        wait_until(lambda: asked[0] > most, what="it was asked often")
        assert len(started(pids)) == 1


def test_a_server_that_does_not_begin_to_answer_is_killed_after_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ask_in_vain(monkeypatch)
    monkeypatch.setattr(nats_supervisor, "_START_SECS", 0.0)
    with supervised(tmp_path):
        wait_until(lambda: asked[0] > nats_supervisor._MAX_FAILURES, what="it is started again")
    assert "nats-server hangs" in capfd.readouterr().out


def test_a_watch_that_fails_is_reported_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ask_in_vain(monkeypatch)
    monkeypatch.setattr(nats_supervisor, "_START_SECS", 0.0)
    failures = iter([ValueError("not a URL"), ValueError("still not")])

    def adjust(_: DiskReserve) -> None:
        error = next(failures, None)
        if error is not None:
            raise error

    monkeypatch.setattr(DiskReserve, "adjust", adjust)
    with supervised(tmp_path):
        wait_until(lambda: asked[0] > nats_supervisor._MAX_FAILURES, what="it is started again")
    output = capfd.readouterr().out
    for cause in ("not a URL", "still not"):
        assert f"the watch of nats-server failed and starts again: ValueError: {cause}\n" in output
    assert "nats-server hangs" in output


def ask_in_vain(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let no server answer; returns how often one was asked."""
    asked = [0]

    def never(_: NatsSupervisor) -> bool:
        asked[0] += 1
        return False

    monkeypatch.setattr(NatsSupervisor, "_answers", never)
    monkeypatch.setattr(nats_supervisor, "_EVERY_SECS", 0.2)
    return asked


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The free space that is found."""
    found = [1 << 30]
    monkeypatch.setattr(nats_supervisor, "free_space", lambda _: found[0])
    return found


CRITICAL: Final = 64 << 20


@pytest.fixture
def reserve(tmp_path: Path, free: list[int], monkeypatch: pytest.MonkeyPatch) -> DiskReserve:
    """A reserve that was taken on a disk with ample space, at `tmp_path`/reserve."""
    monkeypatch.setattr(nats_supervisor, "_RESERVE_BYTES", 1 << 16)
    reserve = DiskReserve(tmp_path / "reserve", CRITICAL)
    reserve.adjust()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 1 << 16
    return reserve


def test_the_reserve_is_kept_while_the_disk_is_being_filled(
    tmp_path: Path, free: list[int], reserve: DiskReserve
) -> None:
    for free[0] in (CRITICAL, CRITICAL - 1, 2 << 20, 1_000, 2 << 20, 1_000):
        reserve.adjust()
    assert (tmp_path / "reserve").exists()


def test_the_reserve_is_released_on_an_empty_disk_and_taken_again_with_ample_space(
    tmp_path: Path, free: list[int], reserve: DiskReserve
) -> None:
    free[0] = 0
    reserve.adjust()
    reserve.adjust()
    assert not (tmp_path / "reserve").exists()
    free[0] = 2 * CRITICAL + (1 << 16)
    reserve.adjust()
    assert not (tmp_path / "reserve").exists()
    free[0] += 1
    reserve.adjust()
    assert (tmp_path / "reserve").exists()


@pytest.mark.parametrize(("free_bytes", "is_kept"), [(CRITICAL, True), (CRITICAL - 1, False)])
def test_the_reserve_is_released_on_a_full_disk_before_the_server_starts_again(
    tmp_path: Path, free: list[int], reserve: DiskReserve, free_bytes: int, is_kept: bool
) -> None:
    free[0] = free_bytes
    reserve.release()
    assert (tmp_path / "reserve").exists() == is_kept


def test_a_reserve_that_cannot_be_taken_is_no_failure(
    tmp_path: Path, free: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    reserve = DiskReserve(tmp_path / "nowhere" / "reserve", 1_000)
    reserve.adjust()
    free[0] = 0
    reserve.release()
    reserve.adjust()
    reserve.adjust()
    assert "disk reserve: " in capfd.readouterr().out
