"""A rotation of passwords changes those of one service, and says what follows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from operations.__main__ import main
from operations.deployments import DEPLOYMENTS
from operations.first_secrets import SecretFolder
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("auth", {"TRADEDAD_AUTH_NATS_PASSWORD", "auth-mongo-password", "auth-mongo-url"}),
        ("gateway", {"TRADEDAD_GATEWAY_NATS_PASSWORD"}),
    ],
)
def test_only_the_passwords_of_the_service_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], service: str, expected: set[str]
) -> None:
    SecretFolder(tmp_path).fill(DEPLOYMENTS["compose"], SystemClock(), datetime.now(UTC))
    before = contents(tmp_path)
    command = ["keys", "rotate-passwords", service, "--folder", str(tmp_path)]
    assert main(command) == exit_codes.OK
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == expected
    output = capsys.readouterr().out
    assert f"restart nats-server and {service}" in output
    assert ("prepare-mongo" in output) == (service == "auth")
    if service == "auth":
        password = after["auth-mongo-password"].decode()
        assert f"auth:{password}@" in after["auth-mongo-url"].decode()


def test_a_folder_without_the_secrets_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["keys", "rotate-passwords", "auth", "--folder", str(tmp_path)]
    assert main(command) == exit_codes.CONFIG
    assert "TRADEDAD_AUTH_NATS_PASSWORD" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
