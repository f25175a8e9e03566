"""The key of an option chain, and its messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.option_chains import (
    MAX_STRIKES_EACH_SIDE,
    Chain,
    ChainKey,
    ChainRow,
    OptionState,
    decode_chain,
    encode_chain,
)
from shared.errors import InvalidField

NIFTY = "NSE_INDEX|Nifty 50"


def test_a_key_names_underlying_expiry_and_number_of_strikes() -> None:
    key = ChainKey.parse(f"{NIFTY}|2026-12-01|10")
    assert key == ChainKey(NIFTY, "2026-12-01", 10)
    assert key.subject == "md.chain.NSE_INDEX.Nifty%2050.2026-12-01.10"


@given(st.integers(1, MAX_STRIKES_EACH_SIDE), st.dates())
def test_a_key_is_read_as_it_was_written(strikes: int, day: object) -> None:
    key = ChainKey(NIFTY, str(day), strikes)
    assert ChainKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "", NIFTY, f"{NIFTY}|10", f"{NIFTY}|2026-12-01", f"{NIFTY}|2026-12-01|0",
        f"{NIFTY}|2026-12-01|51", f"{NIFTY}|2026-12-01|05", f"{NIFTY}|2026-12-01|5 ",
        f"{NIFTY}|2026-13-01|5", f"{NIFTY}|20261201|5", "Nifty|2026-12-01|5",
        "A|B|C|2026-12-01|5", "|B|2026-12-01|5", "*|2026-12-01|5\n",
    ],
)  # fmt: skip
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        ChainKey.parse(text)
    assert caught.value.field == "keys"


def test_a_chain_is_read_as_it_was_written_without_what_is_unknown() -> None:
    chain = Chain(
        key=f"{NIFTY}|2026-12-01|1", epoch=1, seq=2, ts=3, rt=4, underlying=NIFTY,
        expiry="2026-12-01", atm=24_000.0,
        rows=[ChainRow(strike=24_000.0, call=OptionState(key="NSE_FO|1", ltp=1.5))],
    )  # fmt: skip
    encoded = encode_chain(chain)
    assert decode_chain(encoded) == chain
    assert b"null" not in encoded
