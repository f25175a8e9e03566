"""The watchlist file is validated line by line."""

from pathlib import Path

import pytest

from services.ingest.watchlist import read_watchlist
from shared.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


def test_without_a_file_the_watchlist_is_empty() -> None:
    assert read_watchlist(None) == ()


def test_comments_blank_lines_and_duplicates_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# all\nNSE_EQ|INE002A01018  # RELIANCE\n\nNSE_INDEX|Nifty 50\n" * 2)
    assert read_watchlist(path) == ("NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_any_line_end_belong_to_no_key(tmp_path: Path, line_end: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(f"\ufeffNSE_EQ|INE002A01018{line_end}NSE_EQ|X{line_end}".encode())
    assert read_watchlist(path) == ("NSE_EQ|INE002A01018", "NSE_EQ|X")


def test_an_invisible_character_is_reported_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("NSE_EQ|X\n\u200bNSE_EQ|Y\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"list\.txt:2: .*not visible"):
        read_watchlist(path)


def test_a_line_that_is_not_a_key_is_reported_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("NSE_EQ|INE002A01018\nRELIANCE\n")
    with pytest.raises(ConfigError, match=r"list\.txt:2: .*RELIANCE"):
        read_watchlist(path)


def test_a_missing_file_is_reported_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TRADEDAD_INGEST_WATCHLIST_FILE"):
        read_watchlist(tmp_path / "nowhere.txt")


def test_the_shipped_list_is_the_nifty_50_and_two_indices() -> None:
    keys = read_watchlist(ROOT / "deploy" / "watchlists" / "nifty50.txt")
    assert len(keys) == 52
