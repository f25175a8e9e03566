"""A quote is printed on one line."""

from tests.support.builders import KEY, MONDAY_10_00
from tradedad_client import Quote
from tradedad_client.watch import format_quote


def quote(**fields: object) -> Quote:
    return Quote(key=KEY, epoch=1, seq=1, ts=MONDAY_10_00, rt=1, **fields)  # type: ignore[arg-type]


def test_a_line_has_price_change_book_and_volume() -> None:
    line = format_quote(
        quote(ltp=101.5, cp=100.0, bid=101.4, ask=101.6, volume=1_234_567), "RELIANCE"
    )
    assert line.split() == [
        "10:00:00",
        "IST",
        "RELIANCE",
        "101.50",
        "+1.50%",
        "101.40",
        "/",
        "101.60",
        "1,234,567",
    ]


def test_unknown_fields_are_left_out_and_a_snapshot_is_named() -> None:
    assert format_quote(quote(snapshot=True), KEY).split()[2:] == [KEY, "snapshot"]
