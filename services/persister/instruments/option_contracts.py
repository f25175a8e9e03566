"""Answers `instruments.options`: the options on an underlying, from the stored master."""

from collections.abc import Iterable
from typing import Any, Final

from pymongo.errors import PyMongoError

from services.persister.instruments.instrument_store import INSTRUMENTS, InstrumentStore
from shared.contracts.option_chains import (
    MAX_CONTRACTS,
    OptionsReply,
    OptionsRequest,
    StrikeContracts,
)
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import ist_date
from shared.runtime.clock import Clock
from shared.runtime.mongo import Document, Mongo

_CALL: Final = "CE"
_PUT: Final = "PE"


class OptionContracts:
    """Reads contracts that have not expired."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._instruments = mongo.db.get_collection(INSTRUMENTS)
        self._store = InstrumentStore(mongo)
        self._clock = clock

    async def read(self, request: OptionsRequest) -> OptionsReply:
        """The options of one expiry, by default the nearest.

        Raises NotFound, or Unavailable if the database does not answer or no whole master is stored.
        """
        try:
            return await self._read(request)
        except PyMongoError:
            raise Unavailable("instruments cannot be read at the moment") from None

    async def _read(self, request: OptionsRequest) -> OptionsReply:
        underlying = request.underlying
        options: dict[str, Any] = {
            "underlying_key": underlying,
            "type": {"$in": [_CALL, _PUT]},
            "strike": {"$gt": 0},
        }
        today = ist_date(self._clock.now_ms()).isoformat()
        expiries: list[str] = sorted(
            await self._instruments.distinct("expiry", options | {"expiry": {"$gte": today}})
        )
        expiry = request.expiry or next(iter(expiries), "")
        if expiry not in expiries and not (await self._store.master()).day:
            raise Unavailable("the instruments master has not been loaded yet")
        if not expiries:
            raise NotFound(await self._reason(underlying), field="underlying")
        if expiry not in expiries:
            days = ", ".join(expiries)
            raise NotFound(f"no options on {underlying} expire on {expiry}, but on {days}",
                           field="expiry")  # fmt: skip
        rows = await self._instruments.find(
            options | {"expiry": expiry}, {"type": 1, "strike": 1, "lot_size": 1}
        ).to_list(MAX_CONTRACTS)
        lots = {row.get("lot_size") for row in rows}
        return OptionsReply(
            underlying=underlying,
            expiry=expiry,
            expiries=expiries,
            lot_size=lots.pop() if len(lots) == 1 else None,
            strikes=strikes_of(rows),
        )

    async def _reason(self, underlying: str) -> str:
        if not await self._store.knows(underlying):
            return f"no instrument {underlying}"
        return f"there are no options on {underlying}"


def strikes_of(rows: Iterable[Document]) -> list[StrikeContracts]:
    """The contracts by strike, the lowest first."""
    calls: dict[float, str] = {}
    puts: dict[float, str] = {}
    for row in rows:
        (calls if row["type"] == _CALL else puts)[row["strike"]] = row["_id"]
    return [
        StrikeContracts(strike=strike, call=calls.get(strike), put=puts.get(strike))
        for strike in sorted(calls.keys() | puts.keys())
    ]
