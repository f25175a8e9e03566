"""Tokens: the freshest that was not refused; a file is read anew each time."""

from pathlib import Path

from services.ingest.feed.tokens import FileToken, SettingToken, Tokens
from tests.support.virtual_time import LoopClock, run_virtual


class Changing:
    """A source whose token a test changes."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    async def read(self) -> str | None:
        return self.token


def test_the_first_source_that_has_one_is_asked_first() -> None:
    async def main() -> None:
        fresh = Changing(None)
        tokens = Tokens([fresh, SettingToken("old")], LoopClock(), retry_refused_secs=60.0)
        assert await tokens.pick() == "old"
        fresh.token = "new"
        assert await tokens.pick() == "new"

    run_virtual(main())


def test_a_refused_token_is_left_alone_for_a_while() -> None:
    async def main() -> None:
        clock = LoopClock()
        tokens = Tokens([Changing("a"), SettingToken("b")], clock, retry_refused_secs=60.0)
        tokens.refuse("a")
        assert await tokens.pick() == "b"
        tokens.refuse("b")
        assert await tokens.pick() is None
        await clock.sleep(60.0)
        assert await tokens.pick() == "a"

    run_virtual(main())


def test_a_new_token_is_good_at_once_after_the_old_was_refused() -> None:
    async def main() -> None:
        source = Changing("dead")
        tokens = Tokens([source], LoopClock(), retry_refused_secs=60.0)
        tokens.refuse("dead")
        source.token = "fresh"
        assert await tokens.pick() == "fresh"

    run_virtual(main())


def test_no_token_in_the_settings_is_none() -> None:
    async def main() -> None:
        assert await SettingToken("").read() is None

    run_virtual(main())


async def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = FileToken(path)
    assert await source.read() is None
    path.write_text("first\n")
    assert await source.read() == "first"
    replacement = tmp_path / "new"
    replacement.write_text("second")
    replacement.replace(path)
    assert await source.read() == "second"
    path.write_text(" \n")
    assert await source.read() is None
