"""The command line names missing credentials, and prints its version."""

from importlib.metadata import version

import pytest

from tradedad_client.command_line import main


def test_missing_credentials_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TRADEDAD_CLIENT_EMAIL", "TRADEDAD_CLIENT_PASSWORD", "TRADEDAD_CLIENT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert main(["funds", "--account", "paper"]) == 1
    assert "set TRADEDAD_CLIENT_EMAIL" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert (end.value.code, capsys.readouterr().out) == (0, f"{version('trade-dad-client')}\n")
