"""The token of the first source is used, unless Upstox has refused it."""

from pathlib import Path

import pytest
import structlog

from shared.runtime.settings import UpstoxSettings
from shared.runtime.upstox_tokens import (
    FileToken,
    SettingToken,
    TokenPicker,
    configured_sources,
)
from tests.support.virtual_time import LoopClock, run_virtual


class ChangingToken:
    """A source whose token a test changes."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    async def read(self) -> str | None:
        return self.token


def test_the_first_source_with_a_token_is_used() -> None:
    async def main() -> None:
        file = ChangingToken(None)
        tokens = TokenPicker([file, SettingToken("old")], LoopClock())
        assert await tokens.pick() == "old"
        file.token = "new"
        assert await tokens.pick() == "new"

    run_virtual(main())


def test_a_refused_token_is_retried_after_a_while() -> None:
    async def main() -> None:
        clock = LoopClock()
        tokens = TokenPicker(
            [ChangingToken("a"), SettingToken("b")], clock, retry_refused_secs=60.0
        )
        tokens.refuse("a")
        assert await tokens.pick() == "b"
        tokens.refuse("b")
        assert await tokens.pick() is None
        await clock.sleep(60.0)
        assert await tokens.pick() == "a"

    run_virtual(main())


def test_a_refused_token_is_not_retried_while_another_source_has_one() -> None:
    async def main() -> None:
        clock = LoopClock()
        tokens = TokenPicker(
            [ChangingToken("a"), SettingToken("b")], clock, retry_refused_secs=60.0
        )
        tokens.refuse("a")
        for number in range(100):
            tokens.refuse(f"earlier-{number}")
            tokens.refuse("a")
            await clock.sleep(61.0)
            assert await tokens.pick() == "b"

    run_virtual(main())


def test_a_new_token_is_used_at_once_after_the_old_one_was_refused() -> None:
    async def main() -> None:
        source = ChangingToken("expired")
        tokens = TokenPicker([source], LoopClock())
        tokens.refuse("expired")
        source.token = "new"
        assert await tokens.pick() == "new"

    run_virtual(main())


def test_an_empty_setting_is_no_token() -> None:
    async def main() -> None:
        assert await SettingToken("").read() is None

    run_virtual(main())


async def test_a_file_is_read_at_each_call(tmp_path: Path) -> None:
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


async def test_the_file_precedes_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("of-the-file")
    both = UpstoxSettings.model_validate({"token_file": path, "access_token": "of-the-setting"})
    read = [await source.read() for source in configured_sources(both)]
    assert read == ["of-the-file", "of-the-setting"]
    without_file = UpstoxSettings.model_validate({"access_token": "of-the-setting"})
    assert [await source.read() for source in configured_sources(without_file)] == read[1:]


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbftoken\r\n", b"token\r", b"\n token \n"],
    ids=["mark", "return", "space"],
)
async def test_what_an_editor_adds_to_a_file_is_no_part_of_the_token(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    assert await FileToken(path).read() == "token"


@pytest.mark.parametrize(
    "content",
    [b"", b"first\nsecond", b"two words", b"\xff\xfet\x00", "tok\u200ben".encode()],
    ids=["empty", "two lines", "two words", "UTF-16", "invisible"],
)
async def test_an_unusable_file_is_named_once_and_the_next_source_is_tried(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with structlog.testing.capture_logs() as logged:
        tokens = TokenPicker([FileToken(path), SettingToken("good")], LoopClock())
        assert [await tokens.pick(), await tokens.pick()] == ["good", "good"]
    (line,) = logged
    assert (line["path"], line["log_level"]) == (str(path), "warning")
    assert "second" not in str(line)


async def test_a_setting_with_a_line_end_is_used_without_it() -> None:
    assert await TokenPicker([SettingToken("good\r")], LoopClock()).pick() == "good"


async def test_a_setting_that_cannot_be_a_token_is_none() -> None:
    assert await TokenPicker([SettingToken("two words")], LoopClock()).pick() is None
