"""Option chains of unknown instruments are told from those that do not exist."""

import pytest

from tests.support.builders import KEY
from tests.unit.tradedad_client.test_instruments import RELIANCE, RefusingRest
from tradedad_client import NotFound, UnknownInstrument
from tradedad_client.instruments import Instruments
from tradedad_client.market_reads import MarketReads


def reads(rest: RefusingRest) -> MarketReads:
    made = MarketReads()
    made._rest = rest  # type: ignore[assignment]
    made._instruments = Instruments(rest)  # type: ignore[arg-type]
    return made


def refusal(field: str) -> NotFound:
    return NotFound("none", code="not_found", field=field)


async def test_the_chain_of_an_unknown_key_names_it() -> None:
    with pytest.raises(UnknownInstrument) as raised:
        await reads(RefusingRest(refusal("underlying"))).option_chain(KEY)
    assert raised.value.names == (KEY,)


@pytest.mark.parametrize("field", ["underlying", "expiry"])
async def test_the_chain_of_an_instrument_without_such_options_is_not_found(field: str) -> None:
    error = refusal(field)
    with pytest.raises(NotFound) as raised:
        await reads(RefusingRest(error, RELIANCE)).option_chain(RELIANCE.key)
    assert raised.value is error
