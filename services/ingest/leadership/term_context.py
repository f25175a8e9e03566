"""The objects of one term of leadership."""

from dataclasses import dataclass

from services.ingest.bus.coverage_publisher import CoveragePublisher
from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.bus.status_publisher import StatusPublisher
from services.ingest.chains.chain_windows import ChainWindows
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.market.feed_flow import FeedFlow
from services.ingest.market.watchdog import Watchdog
from services.ingest.normalise.normaliser import Normaliser


@dataclass(frozen=True, slots=True)
class TermContext:
    """State that lasts from one connection to the next, and ends with the term."""

    normaliser: Normaliser
    exchange_clock: ExchangeClock
    publisher: QuotePublisher
    status: StatusPublisher
    coverage: CoveragePublisher
    watchdog: Watchdog
    flow: FeedFlow
    chains: ChainWindows
