"""Random settings and files of an operator: each is used, or named in one clear error."""

import asyncio
import os
from pathlib import Path
from typing import Final

import pytest

from embedded.settings import SERVICES
from services.ingest.watchlist import read_watchlist
from shared.errors import ConfigError
from shared.runtime.settings import load, variables
from shared.runtime.upstox_tokens import FileToken, is_token
from tests.fuzz.rounds import damaged, odd_value, rounds

_ROUNDS: Final = 40


def _text(value: object) -> str:
    """A value as a variable of the environment can have it."""
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


def test_a_setting_is_used_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {name: group for group in SERVICES.values() for name in variables(group)}
    for source in rounds(_ROUNDS):
        name = source.choice(sorted(names))
        with monkeypatch.context() as environment:
            for variable in [each for each in os.environ if each.startswith("TRADEDAD_")]:
                environment.delenv(variable)
            environment.setenv(name, _text(odd_value(source)))
            try:
                load(names[name])
            except ConfigError as error:
                for problem in error.problems:
                    assert problem.startswith("TRADEDAD_")
                    assert "\n" not in problem


async def test_a_watchlist_or_token_file_is_used_or_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for source in rounds(_ROUNDS):
        path.write_bytes(damaged(source, b"# pinned\nNSE_EQ|INE002A01018\nNSE_INDEX|Nifty 50\n"))
        try:
            keys = await asyncio.to_thread(read_watchlist, path)
        except ConfigError as error:
            keys = ()
            named = [str(path) in problem for problem in error.problems]
        else:
            named = [key.isprintable() for key in keys]
        assert all(named)
        path.write_bytes(damaged(source, b"eyJhbGciOiJFZERTQSJ9.e30.signature\n"))
        token = await FileToken(path).read()
        assert token is None or is_token(token)
