"""Reads the texts of settings from environment variables and secret files.

A text is stripped of spaces, line ends and a byte-order mark, which editors and shells of other
systems add. A value that only looks right would otherwise fail much later.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings, EnvSettingsSource

PREFIX: Final = "TRADEDAD_"
SECRETS_DIR: Final = "TRADEDAD_SECRETS_DIR"
_BYTE_ORDER_MARK: Final = "\ufeff"
_MAX_SECRET_BYTES: Final = 64 * 1024


def stripped(text: str) -> str:
    """`text` without spaces, line ends and byte-order marks at its ends."""
    return text.strip().strip(_BYTE_ORDER_MARK).strip()


def read_secret_files(directory: str, names: set[str]) -> tuple[dict[str, str], list[str]]:
    """The texts of the files in `directory` that are named like settings, and all problems.

    A problem names the setting, the file and the rule, never a text.
    """
    folder = Path(directory)
    if not folder.is_dir():
        return {}, [f"{SECRETS_DIR}: {directory!r} is not a directory"]
    texts: dict[str, str] = {}
    problems = []
    for name in sorted(names):
        path = folder / name
        try:
            if not path.exists():
                continue
            with path.open("rb") as file:
                data = file.read(_MAX_SECRET_BYTES + 1)
            text = stripped(data.decode("utf-8"))
        except UnicodeDecodeError:
            problems.append(f"{name}: the file {path} is not UTF-8 text")
        except OSError as error:
            problems.append(f"{name}: cannot read the file {path}: {error.strerror}")
        else:
            if len(data) > _MAX_SECRET_BYTES or not text:
                rule = f"longer than {_MAX_SECRET_BYTES} bytes" if text else "empty"
                problems.append(f"{name}: the file {path} is {rule}")
            texts[name] = text
    return texts, problems


def not_text(environ: Mapping[str, str], names: set[str]) -> list[str]:
    """One line for each variable of `names` whose bytes are not UTF-8."""
    return [
        f"{name}: is not UTF-8 text"
        for name in sorted(names & environ.keys())
        if any("\ud800" <= character <= "\udfff" for character in environ[name])
    ]


class TextSource(EnvSettingsSource):
    """Secret files, and over them environment variables. `names` are those that may be read."""

    def __init__(self, settings_type: type[BaseSettings], names: set[str]) -> None:
        self._names = names
        super().__init__(settings_type)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        directory = os.environ.get(SECRETS_DIR)
        texts: dict[str, str] = {}
        if directory is not None:
            texts, _ = read_secret_files(stripped(directory), self._names)
        texts |= {name: stripped(os.environ[name]) for name in self._names if name in os.environ}
        return {name.lower(): text for name, text in texts.items()}
