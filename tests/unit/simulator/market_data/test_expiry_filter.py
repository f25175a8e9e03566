"""Keywords select an expiry of each underlying; a date selects itself."""

from datetime import datetime
from typing import Any

import pytest

from services.simulator.errors import ApiError
from services.simulator.market_data.expiry_filter import check_expiry, expiry_filter
from shared.market.exchange_time import IST


def row(day: str, *, of: str = "NIFTY", kind: str = "CE") -> dict[str, Any]:
    expiry = datetime.fromisoformat(f"{day}T15:30").replace(tzinfo=IST).timestamp() * 1_000
    return {"expiry": int(expiry), "underlying_symbol": of, "instrument_type": kind}


DAYS = ("2026-01-06", "2026-01-13", "2026-01-27", "2026-02-24", "2026-03-31")
ROWS = [
    *(row(day) for day in DAYS),
    row("2026-01-29", of="SENSEX"),
    row("2026-02-24", kind="FUT"),
    {"instrument_type": "EQ"},
]


def selected(text: str, today: str = "2026-01-05") -> list[tuple[str, str]]:
    matches = expiry_filter(text, ROWS, today)
    return [
        (each["underlying_symbol"] + each["instrument_type"], str(each["expiry"]))
        for each in ROWS
        if matches(each)
    ]


def of(day: str, name: str = "NIFTYCE") -> tuple[str, str]:
    return name, str(row(day)["expiry"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-13", [of("2026-01-13")]),
        ("weekly", [of("2026-01-06"), of("2026-01-29", "SENSEXCE"), of("2026-02-24", "NIFTYFUT")]),
        ("next_week", [of("2026-01-13")]),
        ("far_week", [of("2026-01-27")]),
        (
            "this_month",
            [of("2026-01-27"), of("2026-01-29", "SENSEXCE"), of("2026-02-24", "NIFTYFUT")],
        ),
        ("next_month", [of("2026-02-24")]),
        ("far_month", [of("2026-03-31")]),
    ],
)
def test_an_expiry_selects_rows(text: str, expected: list[tuple[str, str]]) -> None:
    assert selected(text) == expected


def test_an_expired_contract_does_not_count() -> None:
    assert selected("current_week", today="2026-02-01")[0] == of("2026-02-24")


def test_only_keywords_and_dates_are_accepted() -> None:
    check_expiry("near_week")
    check_expiry("2026-01-13")
    for text in ("tomorrow", "13-01-2026"):
        with pytest.raises(ApiError) as error:
            check_expiry(text)
        assert error.value.path == "expiry"
