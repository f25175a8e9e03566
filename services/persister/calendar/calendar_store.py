"""The calendar that Upstox reported, as one document in MongoDB."""

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from shared.contracts.calendar import check_sessions
from shared.market.calendar_data import CalendarData
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Mongo, ensure_collection

log = get_logger(__name__)

CALENDAR: Final = "calendar"
_ID: Final = "upstox"
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "required": ["_id", "day", "data"],
    "properties": {"_id": {"bsonType": "string"}, "day": {"bsonType": "string"}},
}
_KEPT_DAYS: Final = 800
"""Bound of the document: days in the past that it keeps."""


class CalendarStore:
    """All methods raise pymongo.errors.PyMongoError while the database is unavailable."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._calendar = mongo.db.get_collection(CALENDAR)

    async def prepare(self) -> None:
        """Create the collection with its validator, or bring it up to date."""
        await ensure_collection(self._db, CALENDAR, _SCHEMA, [])

    async def read(self) -> tuple[str, CalendarData]:
        """The day (YYYY-MM-DD) of the last refresh, empty before the first, and its calendar."""
        document = await self._calendar.find_one({"_id": _ID})
        if document is None:
            return "", CalendarData()
        try:
            data = msgspec.convert(document["data"], CalendarData, str_keys=True)
            check_sessions(data)
        except msgspec.ValidationError as error:
            log.warning("stored calendar is not valid, it is fetched again", error=str(error))
            return "", CalendarData()
        return str(document["day"]), data

    async def write(self, today: date, data: CalendarData) -> None:
        """Store the calendar that was fetched on `today`."""
        oldest = today - timedelta(days=_KEPT_DAYS)
        kept = CalendarData(
            special_days={day: at for day, at in data.special_days.items() if day >= oldest},
            years=frozenset(year for year in data.years if year > oldest.year),
            timings={day: hours for day, hours in data.timings.items() if day >= oldest},
        )
        document = {
            "day": today.isoformat(),
            "data": msgspec.to_builtins(kept, str_keys=True),
        }
        await self._calendar.replace_one({"_id": _ID}, document, upsert=True)
