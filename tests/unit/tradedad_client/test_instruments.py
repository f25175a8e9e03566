"""Names are looked up once, and unknown ones are raised together."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tradedad_client import Instrument, NotFound, UnknownInstrument
from tradedad_client.http_request import Request
from tradedad_client.instruments import Instruments
from tradedad_client.market_messages import InstrumentList


def instrument(symbol: str, exchange: str = "NSE") -> Instrument:
    return Instrument(
        key=f"{exchange}_EQ|{symbol}", symbol=symbol, name=f"{symbol} Limited", exchange=exchange,
        segment=f"{exchange}_EQ", type="EQ",
    )  # fmt: skip


class FakeRest:
    """Answers searches and look-ups from a list, and stores the queries."""

    def __init__(self, *instruments: Instrument) -> None:
        self.instruments = instruments
        self.queries: list[dict[str, list[str]]] = []

    async def send(self, request: Request, _: type[Any]) -> InstrumentList:
        query = parse_qs(urlsplit(request.path).query)
        self.queries.append(query)
        if "keys" in query:
            found = [one for one in self.instruments if one.key in query["keys"]]
        else:
            found = [one for one in self.instruments if one.symbol.startswith(query["q"][0])]
        return InstrumentList(instruments=found)


class RefusingRest(FakeRest):
    """Finds instruments, and refuses everything else with an error."""

    def __init__(self, error: Exception, *instruments: Instrument) -> None:
        super().__init__(*instruments)
        self.error = error

    async def send(self, request: Request, kind: type[Any]) -> InstrumentList:
        if kind is not InstrumentList:
            raise self.error
        return await super().send(request, kind)


RELIANCE, TCS = instrument("RELIANCE"), instrument("TCS")


def of(rest: FakeRest) -> Instruments:
    return Instruments(rest)  # type: ignore[arg-type]


async def test_names_and_keys_are_found_in_their_order() -> None:
    instruments = of(FakeRest(RELIANCE, TCS))
    found = await instruments.get_many([TCS.key, "RELIANCE", "TCS", "TCS"])
    assert found == [TCS, RELIANCE, TCS, TCS]


async def test_a_name_is_looked_up_once() -> None:
    rest = FakeRest(RELIANCE)
    instruments = of(rest)
    for _ in range(3):
        assert await instruments.key("RELIANCE") == RELIANCE.key
    assert len(rest.queries) == 1


async def test_a_key_is_not_looked_up_to_be_used() -> None:
    rest = FakeRest()
    assert await of(rest).key("NSE_EQ|X") == "NSE_EQ|X"
    assert rest.queries == []


async def test_many_keys_are_read_in_several_requests() -> None:
    many = [instrument(f"S{number}") for number in range(120)]
    rest = FakeRest(*many)
    assert await of(rest).get_many([one.key for one in many]) == many
    assert [len(query["keys"]) for query in rest.queries] == [50, 50, 20]


async def test_all_unknown_names_are_raised_at_once_with_similar_ones() -> None:
    with pytest.raises(UnknownInstrument) as error:
        await of(FakeRest(RELIANCE, TCS)).get_many(["RELAINCE", "TCS", "NSE_EQ|NONE"])
    assert error.value.names == ("RELAINCE", "NSE_EQ|NONE")
    assert error.value.similar == ("RELIANCE",)
    assert str(error.value) == (
        "no instrument is named 'RELAINCE', 'NSE_EQ|NONE'; similar: RELIANCE"
    )


async def test_a_segment_restricts_the_search() -> None:
    rest = FakeRest(RELIANCE)
    with pytest.raises(UnknownInstrument):
        await of(rest).get("NSE_FO:RELIANCE")
    assert rest.queries[0]["segment"] == ["NSE_FO"]


async def test_the_detail_of_an_unknown_key_names_it() -> None:
    rest = RefusingRest(NotFound("no instrument NSE_EQ|NOBODY", code="not_found", field="key"))
    with pytest.raises(UnknownInstrument) as raised:
        await of(rest).detail("NSE_EQ|NOBODY")
    assert raised.value.names == ("NSE_EQ|NOBODY",)
