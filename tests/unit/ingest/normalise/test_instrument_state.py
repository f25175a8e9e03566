"""The state is encoded as it stands, so it must be a quote to the letter."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.normalise.instrument_state import QuoteState, encode_quote
from shared.contracts.messages import Quote, decode_quote, encode

numbers = st.none() | st.integers(min_value=-(2**63), max_value=2**63 - 1)
prices = st.none() | st.floats(allow_nan=False, allow_infinity=False)
fields = st.fixed_dictionaries(
    {
        "key": st.text(st.characters(exclude_categories=["Cs"])),
        **dict.fromkeys(("epoch", "seq", "ts", "rt"), st.integers(0, 2**62)),
        **dict.fromkeys(("ltt", "ltq", "volume", "oi", "bid_qty", "ask_qty", "tbq"), numbers),
        "tsq": numbers,
        **dict.fromkeys(("ltp", "cp", "atp", "bid", "ask"), prices),
        "snap": st.booleans(),
    }
)


@given(fields)
def test_a_state_is_encoded_as_the_quote_with_its_values(values: dict[str, object]) -> None:
    state = msgspec.convert(values, QuoteState)
    quote = msgspec.convert(values, Quote)
    assert encode_quote(state) == encode(quote)
    assert decode_quote(encode_quote(state)) == quote


def test_a_state_has_the_fields_of_a_quote_in_its_order() -> None:
    assert QuoteState.__struct_fields__ == Quote.__struct_fields__
    assert QuoteState.__struct_defaults__ == Quote.__struct_defaults__
