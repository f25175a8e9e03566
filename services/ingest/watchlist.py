"""Reads the watchlist file: the instruments that are always subscribed."""

from pathlib import Path

from shared.contracts.subjects import key_to_tokens
from shared.errors import ConfigError, InvalidField


def read_watchlist(path: Path | None) -> tuple[str, ...]:
    """The instrument keys in `path`, in order and without duplicates; empty if `path` is None.

    Raises ConfigError if the file cannot be read, or with each line that is not an instrument
    key.
    """
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"TRADEDAD_INGEST_WATCHLIST_FILE: {path}: {error}"]) from None
    keys: dict[str, None] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        key = line.partition("#")[0].strip()
        if not key:
            continue
        try:
            _check(key)
        except InvalidField as error:
            problems.append(f"TRADEDAD_INGEST_WATCHLIST_FILE: {path}:{number}: {error}")
        keys[key] = None
    if problems:
        raise ConfigError(problems)
    return tuple(keys)


def _check(key: str) -> None:
    key_to_tokens(key)
    if not key.isprintable():  # for example a second byte-order mark
        raise InvalidField(f"{key!r} has a character that is not visible", field="key")
