"""What one term of leadership works with; a new leader begins with a new one."""

from dataclasses import dataclass

from services.ingest.coverage import CoverageBoard
from services.ingest.market_hours import MarketHours
from services.ingest.normalise import Normaliser
from services.ingest.publish import Publisher
from services.ingest.status import StatusBoard
from services.ingest.watchdog import Watchdog


@dataclass(frozen=True, slots=True)
class Desk:
    """Outlives connections to the feed, and no term."""

    normaliser: Normaliser
    publisher: Publisher
    status: StatusBoard
    coverage: CoverageBoard
    hours: MarketHours
    watchdog: Watchdog
