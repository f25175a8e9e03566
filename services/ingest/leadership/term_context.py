"""What one term of leadership works with; a new leader begins with a new one."""

from dataclasses import dataclass

from services.ingest.bus.coverage_publisher import CoveragePublisher
from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.bus.status_publisher import StatusPublisher
from services.ingest.market.market_hours import MarketHours
from services.ingest.market.watchdog import Watchdog
from services.ingest.normalise.normaliser import Normaliser


@dataclass(frozen=True, slots=True)
class TermContext:
    """Outlives connections to the feed, and no term."""

    normaliser: Normaliser
    publisher: QuotePublisher
    status: StatusPublisher
    coverage: CoveragePublisher
    hours: MarketHours
    watchdog: Watchdog
