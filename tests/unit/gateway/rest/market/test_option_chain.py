"""An option chain has every contract, and prices where they are known."""

from typing import Any

import msgspec

from services.gateway.rest.market.option_chain import option_chain
from shared.contracts.messages import Greeks, encode
from shared.contracts.option_chains import (
    Chain,
    ChainRow,
    OptionsReply,
    OptionState,
    StrikeContracts,
)
from tests.support.builders import OTHER_KEY as NIFTY
from tests.support.builders import quote

DAY = "2026-12-01"
CONTRACTS = OptionsReply(
    underlying=NIFTY, expiry=DAY, expiries=[DAY, "2026-12-08"], lot_size=65,
    strikes=[
        StrikeContracts(strike=100.0, call="NSE_FO|1", put="NSE_FO|2"),
        StrikeContracts(strike=150.0, call="NSE_FO|3"),
    ],
)  # fmt: skip
GREEKS = Greeks(delta=0.5, theta=-1.0, gamma=0.1, vega=2.0, rho=0.3)
CHAIN = Chain(
    key=f"{NIFTY}|{DAY}|1", epoch=1, seq=1, ts=1, rt=1, underlying=NIFTY, expiry=DAY, ltp=101.0,
    atm=100.0,
    rows=[ChainRow(strike=100.0, call=OptionState(key="NSE_FO|1", ltp=7.0, greeks=GREEKS))],
)  # fmt: skip


def shown(chain: Chain | None, quotes: dict[str, bytes]) -> Any:
    return msgspec.json.decode(option_chain(CONTRACTS, chain, quotes.get))


def test_without_prices_there_are_the_contracts() -> None:
    assert shown(None, {}) == {
        "underlying": NIFTY, "expiry": DAY, "expiries": [DAY, "2026-12-08"], "lot_size": 65,
        "rows": [
            {"strike": 100.0, "call": {"key": "NSE_FO|1"}, "put": {"key": "NSE_FO|2"}},
            {"strike": 150.0, "call": {"key": "NSE_FO|3"}},
        ],
    }  # fmt: skip


def test_a_followed_chain_precedes_the_last_quotes() -> None:
    quotes = {
        key: encode(quote(key=key, ltp=ltp, oi=11))
        for key, ltp in (("NSE_FO|1", 1.0), ("NSE_FO|2", 2.0), (NIFTY, 102.0))
    }
    body = shown(CHAIN, quotes)
    assert body["ltp"] == 102.0
    first, second = body["rows"]
    assert (first["call"]["ltp"], first["call"]["greeks"]["delta"]) == (7.0, 0.5)
    assert (first["put"]["ltp"], first["put"]["oi"]) == (2.0, 11)
    assert second["call"] == {"key": "NSE_FO|3"}
    assert shown(CHAIN, {})["ltp"] == 101.0
