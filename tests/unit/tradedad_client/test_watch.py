"""A quote for people fits on a line."""

from tests.support.builders import KEY, MONDAY_10_00
from tradedad_client import Quote
from tradedad_client.watch import line


def quote(**fields: object) -> Quote:
    return Quote(key=KEY, epoch=1, seq=1, ts=MONDAY_10_00, rt=1, **fields)  # type: ignore[arg-type]


def test_a_line_has_price_change_book_and_volume() -> None:
    told = line(quote(ltp=101.5, cp=100.0, bid=101.4, ask=101.6, volume=1_234_567))
    assert told.split()[1:] == [KEY, "101.50", "+1.50%", "101.40", "/", "101.60", "1,234,567"]


def test_what_is_not_known_is_left_out_and_a_snapshot_is_named() -> None:
    assert line(quote(snapshot=True)).split()[1:] == [KEY, "snapshot"]
