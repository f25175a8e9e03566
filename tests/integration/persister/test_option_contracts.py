"""The options on an underlying, from the stored instruments master."""

import pytest
from msgspec import structs

from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.option_contracts import OptionContracts
from shared.contracts.instruments import Instrument
from shared.contracts.option_chains import OptionsRequest
from shared.errors import NotFound, Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.gateway.rest import CALL, NIFTY, RELIANCE, store_instruments

YESTERDAY, TODAY, LATER = "2026-11-22", "2026-11-23", "2026-11-30"


class At10(SystemClock):
    """A clock that shows Monday, 10:00."""

    def now_ms(self) -> int:
        return MONDAY_10_00


def option(number: int, expiry: str, strike: float, kind: str, lot: int = 75) -> Instrument:
    return structs.replace(
        CALL, key=f"NSE_FO|{number}", expiry=expiry, strike=strike, type=kind, lot_size=lot
    )


@pytest.fixture
async def contracts(mongo: Mongo) -> OptionContracts:
    future = structs.replace(CALL, key="NSE_FO|9", type="FUT", strike=None, expiry=TODAY)
    options = [
        option(1, LATER, 150.0, "CE"), option(2, LATER, 100.0, "PE", lot=65),
        option(3, TODAY, 100.0, "CE"), option(4, TODAY, 100.0, "PE"),
        option(5, YESTERDAY, 100.0, "CE"),
    ]  # fmt: skip
    await store_instruments(mongo, [NIFTY, RELIANCE, future, *options])
    return OptionContracts(mongo, At10())


async def test_the_nearest_expiry_that_has_not_passed_is_the_default(
    contracts: OptionContracts,
) -> None:
    nearest = await contracts.read(OptionsRequest(underlying=NIFTY.key))
    assert (nearest.expiry, nearest.expiries) == (TODAY, [TODAY, LATER])
    (row,) = nearest.strikes
    assert (row.strike, row.call, row.put) == (100.0, "NSE_FO|3", "NSE_FO|4")
    assert nearest.lot_size == 75


async def test_before_a_master_is_loaded_no_underlying_is_called_unknown(mongo: Mongo) -> None:
    await InstrumentStore(mongo).prepare()
    with pytest.raises(Unavailable, match="not been loaded"):
        await OptionContracts(mongo, At10()).read(OptionsRequest(underlying=NIFTY.key))


async def test_an_expiry_has_its_own_contracts(contracts: OptionContracts) -> None:
    later = await contracts.read(OptionsRequest(underlying=NIFTY.key, expiry=LATER))
    assert [(row.strike, row.call, row.put) for row in later.strikes] == [
        (100.0, None, "NSE_FO|2"), (150.0, "NSE_FO|1", None),
    ]  # fmt: skip
    assert later.lot_size is None, "the lots differ"


@pytest.mark.parametrize(
    ("underlying", "expiry", "field", "detail"),
    [
        ("NSE_EQ|NOBODY", None, "underlying", "no instrument NSE_EQ|NOBODY"),
        (KEY, None, "underlying", f"there are no options on {KEY}"),
        (NIFTY.key, YESTERDAY, "expiry", f"but on {TODAY}, {LATER}"),
    ],
)
async def test_what_there_is_not_is_named(
    contracts: OptionContracts, underlying: str, expiry: str | None, field: str, detail: str
) -> None:
    with pytest.raises(NotFound) as caught:
        await contracts.read(OptionsRequest(underlying=underlying, expiry=expiry))
    assert caught.value.field == field
    assert detail in caught.value.detail
