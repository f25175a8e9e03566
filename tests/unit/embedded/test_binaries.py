"""The error for a missing program names the program and the remedy."""

from pathlib import Path

import pytest

from embedded import binaries
from embedded.binaries import MissingProgramError


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without nats-server, whose PATH is only `tmp_path`."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "_NATS_PATHS", ())
    return tmp_path


def program(path: Path, text: str = "") -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("bare_machine")
def test_without_apt_the_remedy_is_a_download_or_a_path() -> None:
    with pytest.raises(MissingProgramError, match="TRADEDAD_STACK_NATS_SERVER"):
        binaries.nats_server(None, allow_apt=True)


def test_without_root_the_remedy_is_sudo(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bare_machine / "apt-get")
    monkeypatch.setattr("os.geteuid", lambda: 1_000)
    with pytest.raises(MissingProgramError, match="sudo apt-get install nats-server"):
        binaries.nats_server(None, allow_apt=True)


def test_apt_is_not_used_if_the_setting_forbids_it(bare_machine: Path) -> None:
    program(bare_machine / "apt-get", f"touch {bare_machine}/used")
    with pytest.raises(MissingProgramError, match="TRADEDAD_STACK_ALLOW_APT"):
        binaries.nats_server(None, allow_apt=False)
    assert not (bare_machine / "used").exists()


def test_a_failure_of_apt_is_reported_with_its_output(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(bare_machine / "apt-get", "echo no such package; exit 100")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(MissingProgramError, match="did not install it"):
        binaries.nats_server(None, allow_apt=True)
    assert "no such package" in capsys.readouterr().out


def test_a_path_that_is_not_executable_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError, match="TRADEDAD_STACK_NATS_SERVER"):
        binaries.nats_server(tmp_path / "nothing", allow_apt=True)
    with pytest.raises(MissingProgramError, match="TRADEDAD_STACK_MONGOD"):
        binaries.mongod(tmp_path / "nothing")


def test_a_mongod_that_does_not_run_is_reported_with_its_error(tmp_path: Path) -> None:
    broken = program(tmp_path / "mongod", "echo libcurl.so.4 is missing >&2; exit 127")
    with pytest.raises(MissingProgramError, match=r"libcurl\.so\.4 is missing"):
        binaries.mongod(broken)
