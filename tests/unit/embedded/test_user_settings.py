"""Secret files of the user count as variables, unless the variable is set too."""

from pathlib import Path
from typing import Final

import pytest

from embedded.user_settings import user_environment
from shared.errors import ConfigError
from shared.runtime.setting_sources import SECRETS_DIR

TOKEN: Final = "TRADEDAD_UPSTOX_ACCESS_TOKEN"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the user has named."""
    monkeypatch.setenv(SECRETS_DIR, f"{tmp_path}\r\n")
    monkeypatch.delenv(TOKEN, raising=False)
    return tmp_path


def test_without_a_folder_there_are_only_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRETS_DIR, raising=False)
    monkeypatch.setenv(TOKEN, "from a variable")
    assert user_environment()[TOKEN] == "from a variable"


def test_a_file_is_used_if_its_variable_is_not_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / TOKEN).write_text("from a file\n")
    environment = user_environment()
    assert environment[TOKEN] == "from a file"
    assert SECRETS_DIR not in environment
    monkeypatch.setenv(TOKEN, "from a variable")
    assert user_environment()[TOKEN] == "from a variable"


def test_a_file_that_is_no_setting_of_the_user_is_ignored(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored = ("README", "TRADEDAD_INGEST_NATS_PASSWORD")
    for name in ignored:
        monkeypatch.delenv(name, raising=False)
        (folder / name).write_text("text")
    assert not user_environment().keys() & set(ignored)


def test_a_file_that_cannot_be_used_is_named(folder: Path) -> None:
    (folder / TOKEN).touch()
    with pytest.raises(ConfigError) as caught:
        user_environment()
    assert caught.value.problems == [f"{TOKEN}: the file {folder / TOKEN} is empty"]


def test_a_folder_that_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRETS_DIR, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=f"{SECRETS_DIR}: .* is not a directory"):
        user_environment()
