"""An error before the start is one clear line and a non-zero exit code."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from embedded.daemons import ROOT
from embedded.folder_lock import FolderLock
from embedded.ports import HOST, free_stack_ports
from shared.runtime import exit_codes
from tests.e2e.conftest import Run
from tests.support.patience import TEST_TIMEOUT_SECS


def test_a_mistyped_variable_is_named_with_the_nearest_valid_one(stack_command: Run) -> None:
    done = stack_command("run", TRADEDAD_GATEWAY_PROT="7400")
    assert done.returncode == exit_codes.CONFIG
    (line,) = done.stderr.splitlines()
    assert line == "TRADEDAD_GATEWAY_PROT is not a setting; did you mean TRADEDAD_GATEWAY_PORT?"


def test_a_taken_port_is_named(stack_command: Run) -> None:
    ports = free_stack_ports()
    with socket.socket() as taken:
        taken.bind((HOST, ports["TRADEDAD_STACK_NATS_PORT"]))
        taken.listen()
        done = stack_command("run", **{name: str(port) for name, port in ports.items()})
    assert done.returncode == exit_codes.CONFIG
    (line,) = done.stderr.splitlines()
    assert line.startswith("TRADEDAD_STACK_NATS_PORT: port ")
    assert " is taken" in line


def test_a_missing_nats_server_is_named(stack_command: Run, tmp_path: Path) -> None:
    done = stack_command("run", TRADEDAD_STACK_NATS_SERVER=str(tmp_path / "nats-server"))
    assert done.returncode == exit_codes.FAILED
    (line,) = done.stderr.splitlines()
    assert line.startswith("TRADEDAD_STACK_NATS_SERVER: ")


def test_a_data_folder_that_cannot_be_created_is_named(stack_command: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    ports = {name: str(port) for name, port in free_stack_ports().items()}
    done = stack_command("run", TRADEDAD_STACK_DATA_DIR=str(file / "data"), **ports)
    assert done.returncode == exit_codes.CONFIG
    (line,) = done.stderr.splitlines()
    assert line.startswith("TRADEDAD_STACK_DATA_DIR: cannot use ")


def test_a_folder_of_a_running_stack_is_not_started_a_second_time(
    stack_command: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "simulated"
    folder.mkdir()
    lock = FolderLock(folder).acquire()
    ports = {name: str(port) for name, port in free_stack_ports().items()}
    done = stack_command("run", TRADEDAD_STACK_DATA_DIR=str(tmp_path), **ports)
    lock.release()
    assert done.returncode == exit_codes.CONFIG
    (line,) = done.stderr.splitlines()
    assert f"{folder} is in use by another stack (process {os.getpid()})" in line
    assert not (folder / "nats").exists()


def test_a_host_of_another_machine_is_named(stack_command: Run) -> None:
    ports = {name: str(port) for name, port in free_stack_ports().items()}
    done = stack_command("run", TRADEDAD_GATEWAY_HOST="192.0.2.1", **ports)
    assert done.returncode == exit_codes.CONFIG
    (line,) = done.stderr.splitlines()
    assert line == "TRADEDAD_GATEWAY_HOST: 192.0.2.1 is not an address of this machine"


@pytest.mark.parametrize(
    "variables", [{"CDPATH": "/usr"}, {"LC_ALL": "C"}, {"LC_ALL": "C", "CDPATH": "/usr:/tmp"}]
)
def test_make_works_with_any_search_path_of_folders_and_locale(variables: dict[str, str]) -> None:
    done = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "--eval",
            "show: prepare; @echo $$LC_ALL,$$CDPATH",
            "show",
        ],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=TEST_TIMEOUT_SECS / 2,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = "C.UTF-8" if "LC_ALL" in variables else os.environ.get("LC_ALL", "")
    assert done.stdout == f"{expected},\n"


def test_a_setting_out_of_range_is_named_before_anything_starts(stack_command: Run) -> None:
    ports = {name: str(port) for name, port in free_stack_ports().items()}
    done = stack_command("run", TRADEDAD_GATEWAY_FLUSH_INTERVAL_MS="0", **ports)
    assert done.returncode == exit_codes.CONFIG
    (line,) = done.stderr.splitlines()
    assert line.startswith("TRADEDAD_GATEWAY_FLUSH_INTERVAL_MS: ")
