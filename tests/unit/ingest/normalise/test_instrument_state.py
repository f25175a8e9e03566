"""An instrument's state is encoded in place, so it must equal the published quote."""

import msgspec
import pytest
from hypothesis import given

from services.ingest.feed import wire
from services.ingest.normalise.instrument_state import InstrumentState, encode_quote
from shared.contracts.messages import Quote, QuoteState, decode_quote, encode
from shared.errors import InvalidField
from tests.support.builders import KEY, full_feed
from tests.support.quote_strategies import quote_fields


@given(quote_fields)
def test_a_state_is_encoded_as_the_quote_with_its_values(values: dict[str, object]) -> None:
    state = msgspec.convert(values, QuoteState)
    quote = msgspec.convert(values, Quote)
    assert encode_quote(state) == encode(quote)
    assert decode_quote(encode_quote(state)) == quote


def test_an_instrument_has_the_subjects_of_its_key() -> None:
    instrument = InstrumentState(KEY, epoch=9)
    assert instrument.quote_subject == b"md.quote.NSE_EQ.INE002A01018"
    assert instrument.candle_subject == b"md.candle.1m.NSE_EQ.INE002A01018"
    assert instrument.depth_subject == b"md.depth.NSE_EQ.INE002A01018"


def test_a_key_without_a_segment_is_invalid() -> None:
    with pytest.raises(InvalidField):
        InstrumentState("RELIANCE", epoch=9)


def test_packing_replaces_the_book_by_its_encoding() -> None:
    instrument = InstrumentState(KEY, epoch=9)
    assert instrument.packed_book() is None
    instrument.book = full_feed(book=[(1.0, 10, 2.0, 20)]).fullFeed.marketFF.marketLevel
    instrument.pack_book()
    assert instrument.book is None
    packed = instrument.packed_book()
    assert packed is not None
    assert wire.decode_levels(packed) == ([(1.0, 10)], [(2.0, 20)])
    instrument.pack_book()
    assert instrument.packed_book() == packed
