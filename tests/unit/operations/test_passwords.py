"""A rotation of passwords changes those of one user, and says what follows."""

import os
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
    ("user", "expected", "following"),
    [
        (
            "auth",
            {"TRADEDAD_AUTH_NATS_PASSWORD", "auth-mongo-password", "auth-mongo-url"},
            "run prepare-mongo, restart nats-server and auth, which cannot connect in between",
        ),
        (
            "gateway",
            {"TRADEDAD_GATEWAY_NATS_PASSWORD"},
            "restart nats-server and gateway, which cannot connect in between",
        ),
        (
            "monitor",
            {"monitor-mongo-password", "monitor-mongo-url"},
            "run prepare-mongo, restart server-metrics, which cannot connect in between",
        ),
        ("backup", {"backup-mongo-password", "backup-mongo-url"}, "run prepare-mongo"),
        ("restore", {"restore-mongo-password", "restore-mongo-url"}, "run prepare-mongo"),
    ],
)
def test_only_the_passwords_of_the_user_change(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    user: str,
    expected: set[str],
    following: str,
) -> None:
    SecretFolder(tmp_path).fill(DEPLOYMENTS["compose"], SystemClock(), datetime.now(UTC))
    before = contents(tmp_path)
    command = ["keys", "rotate-passwords", user, "--folder", str(tmp_path)]
    assert main(command) == exit_codes.OK
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == expected
    assert capsys.readouterr().out.splitlines()[-1] == f"next: {following}"
    if f"{user}-mongo-url" in expected:
        password = after[f"{user}-mongo-password"].decode()
        assert f"{user}:{password}@" in after[f"{user}-mongo-url"].decode()


def test_a_folder_without_the_secrets_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["keys", "rotate-passwords", "auth", "--folder", str(tmp_path)]
    assert main(command) == exit_codes.CONFIG
    assert "TRADEDAD_AUTH_NATS_PASSWORD" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_new_files_belong_to_the_owner_of_the_old_ones(tmp_path: Path) -> None:
    SecretFolder(tmp_path).fill(DEPLOYMENTS["compose"], SystemClock(), datetime.now(UTC))
    for path in tmp_path.iterdir():
        os.chown(path, 10_001, 10_002)
    command = ["keys", "rotate-passwords", "auth", "--folder", str(tmp_path)]
    assert main(command) == exit_codes.OK
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in tmp_path.iterdir()}
    assert owners == {(10_001, 10_002)}


def test_files_that_have_the_right_owner_are_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, user_id: int, group_id: int) -> None:
        raise PermissionError(f"{path}: {user_id}:{group_id}")

    SecretFolder(tmp_path).fill(DEPLOYMENTS["compose"], SystemClock(), datetime.now(UTC))
    monkeypatch.setattr(os, "chown", refuse)
    command = ["keys", "rotate-passwords", "auth", "--folder", str(tmp_path)]
    assert main(command) == exit_codes.OK
