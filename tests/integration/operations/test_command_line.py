"""Every level of the command family explains itself, and every error has its exit code."""

import re
from pathlib import Path

import pytest

from embedded.ports import HOST, free_ports
from operations.__main__ import main
from operations.backup.folders import new_folder
from shared.runtime import exit_codes

GROUPS = {
    "admins": {"list", "grant", "revoke"},
    "users": {"list", "disable", "enable", "end-sessions"},
    "keys": {"rotate-signing", "rotate-sealing", "rotate-passwords"},
    "bars": {"backfill", "export", "reset-checkpoint"},
    "paper": {"reset-market"},
    "backup": {"take", "verify", "restore", "keys"},
}
COMMANDS = [["secrets"], ["prepare-mongo"]] + [
    [group, command] for group, commands in GROUPS.items() for command in sorted(commands)
]


def help_text(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_family_lists_its_groups(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_text([], capsys)
    for name in (*GROUPS, "secrets", "prepare-mongo"):
        assert re.search(rf"^    {name}\s", text, re.MULTILINE)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_commands(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_text([group], capsys)
    for command in GROUPS[group]:
        assert re.search(rf"^    {command}\s", text, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_what_it_does(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_text(command, capsys)
    usage = f"usage: python -m operations {' '.join(command)}"
    assert " ".join(text.split()).startswith(usage)
    assert len(text.split("\n\n")) >= 3, "usage, description and options"


def test_a_server_that_is_away_is_named_with_its_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("TRADEDAD_MONGO_URL", f"mongodb://{HOST}:{port}/?replicaSet=none")
    monkeypatch.setenv("TRADEDAD_MONGO_TIMEOUT_MS", "200")
    for command in (
        ["backup", "take", str(tmp_path / "backup")],
        ["bars", "export", str(tmp_path / "bars.csv"), "--quiet"],
        ["bars", "reset-checkpoint"],
        ["paper", "reset-market"],
        ["bars", "backfill", "--cancel"],
    ):
        assert main(command) == exit_codes.TEMPFAIL
        error = capsys.readouterr().err
        assert f"{HOST}:{port}: connection refused (TRADEDAD_MONGO_URL)" in error
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_another_process_takes_can_be_repeated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with new_folder(tmp_path / "backup"):
        assert main(["backup", "take", str(tmp_path / "backup")]) == exit_codes.TEMPFAIL
    error = capsys.readouterr().err
    assert "backup.part: another process is writing this backup; the command can be" in error


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "many", "36501"])
def test_a_number_of_days_that_is_none_is_refused(
    days: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["backup", "take", str(tmp_path / "backup"), f"--keep-days={days}"])
    assert ended.value.code == 2
    assert "is not a number of days from 1 to 36500" in capsys.readouterr().err


def test_a_setting_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADEDAD_MONGO_TIMEOUT_MS", "never")
    assert main(["backup", "take", str(tmp_path / "backup")]) == exit_codes.CONFIG
    assert "TRADEDAD_MONGO_TIMEOUT_MS" in capsys.readouterr().err


def test_a_folder_that_is_no_backup_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["backup", "verify", str(tmp_path)]) == exit_codes.FAILED
    assert f"{tmp_path}/manifest.json: No such file" in capsys.readouterr().err
