"""The start script passes all passwords to nats-server, or fails before it starts the server."""

import os
import subprocess
from pathlib import Path

import pytest

from embedded.daemons import ROOT


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder of secrets with one password file."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "TRADEDAD_AUTH_NATS_PASSWORD").write_text("s1 2")
    return folder


def start(secrets: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with a nats-server that prints the password of auth and its arguments."""
    folder = secrets.parent
    server = folder / "nats-server"
    server.write_text('#!/bin/sh\necho "$TRADEDAD_AUTH_NATS_PASSWORD|$*"\n')
    server.chmod(0o700)
    script = folder / "start.sh"
    original = (ROOT / "deploy" / "nats" / "start.sh").read_text()
    script.write_text(original.replace("/run/secrets/", f"{secrets}/"))
    path = f"{folder}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", script, "-js"], env={"PATH": path}, capture_output=True, text=True, check=False
    )


def test_the_server_starts_with_the_passwords_in_its_environment(secrets: Path) -> None:
    started = start(secrets)
    assert (started.returncode, started.stdout) == (0, "s1 2|-js\n")


def test_the_server_does_not_start_without_a_password_that_cannot_be_read(secrets: Path) -> None:
    # A directory, since root can read any file.
    (secrets / "TRADEDAD_INGEST_NATS_PASSWORD").mkdir()
    refused = start(secrets)
    assert refused.returncode != 0
    assert refused.stdout == ""
