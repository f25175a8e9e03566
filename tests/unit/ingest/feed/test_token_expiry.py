"""A token's expiry is its own claim, or else the next 03:30 IST."""

import base64
import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feed.token_expiry import expires_ms
from services.simulator.settings import SIMULATED_TOKEN
from shared.market.exchange_time import IST


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


def jwt(payload: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    return f"header.{body}.signature"


NOON = at("2026-11-23T12:00")
NEXT_EXPIRY = at("2026-11-24T03:30")


@pytest.mark.parametrize(
    ("now", "expiry"),
    [
        ("2026-11-23T03:29:59", "2026-11-23T03:30"),
        ("2026-11-23T03:30", "2026-11-24T03:30"),
        ("2026-11-23T23:59", "2026-11-24T03:30"),
    ],
)
def test_an_opaque_token_expires_at_the_next_half_past_three(now: str, expiry: str) -> None:
    assert expires_ms("opaque", at(now)) == at(expiry)


def test_a_jwt_expires_when_it_says() -> None:
    a_year_later = at("2027-11-23T03:30")
    assert expires_ms(jwt({"exp": a_year_later // 1_000, "sub": "AB1234"}), NOON) == a_year_later
    assert expires_ms(jwt({"exp": NOON // 1_000 - 60}), NOON) < NOON, "it has expired already"
    assert expires_ms(SIMULATED_TOKEN, NOON) == at("2100-01-01T05:30"), (
        "no alert warns of its expiry"
    )


@pytest.mark.parametrize(
    "token",
    [
        "a.b.c", "a.!!!.c", "..", jwt({}), jwt({"exp": "soon"}), jwt({"exp": -1}),
        jwt({"exp": 1e300}), jwt([1]), f"a.{'A' * 10_000}.c", "a.é.c",
    ],
)  # fmt: skip
def test_a_token_without_a_usable_claim_counts_as_opaque(token: str) -> None:
    assert expires_ms(token, NOON) == NEXT_EXPIRY


@given(st.text())
def test_no_text_raises(token: str) -> None:
    assert expires_ms(token, NOON) > 0
