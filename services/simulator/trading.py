"""Puts orders and accounts together, from the order_manager to its routes."""

from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from services.simulator.account.account import Accounts
from services.simulator.account.report_routes import ReportRoutes
from services.simulator.account.routes import AccountRoutes
from services.simulator.account.user_routes import UserRoutes
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.market.flows import Trade
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import InstrumentState
from services.simulator.orders.admin import OrderLedger
from services.simulator.orders.door import Door
from services.simulator.orders.exit import PositionExit
from services.simulator.orders.gtt_book import GttBook
from services.simulator.orders.gtt_routes import GttRoutes
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.place_routes import PlaceRoutes
from services.simulator.orders.read_routes import ReadRoutes
from services.simulator.orders.records import Records
from services.simulator.portfolio_stream.server import PortfolioStream
from services.simulator.portfolio_stream.updates import Update, Updates
from services.simulator.portfolio_stream.webhook import Webhook
from services.simulator.settings import SimulatorSettings
from services.simulator.tokens import Tokens


class Trading:
    """All that a broker adds to a market."""

    def __init__(
        self,
        states: Mapping[str, InstrumentState],
        calendar: SimulatedCalendar,
        market_ms: Callable[[], int],
        tokens: Tokens,
        codes: OneTimeCodes,
        settings: SimulatorSettings,
    ) -> None:
        self.accounts = Accounts(states, opening_paise=settings.opening_cash_rupees * 100)
        self.order_manager = OrderManager(
            states,
            calendar,
            self.accounts,
            Records(max_rows=settings.ledger_max_rows),
            start_ms=market_ms(),
            needs_protection=settings.market_orders_need_protection,
        )
        self.gtts = GttBook(self.order_manager, states, max_rows=settings.ledger_max_rows)
        self.stream = PortfolioStream(codes, tokens, settings)
        self.webhook = Webhook(settings.webhook_url, timeout_secs=settings.webhook_timeout_secs)
        updates = Updates(self.accounts, states, self._publish)
        self.order_manager.on_order.append(updates.order)
        self.order_manager.on_fill.append(updates.fill)
        self.gtts.on_change.append(updates.gtt)
        door = Door(tokens, market_ms)
        records = self.order_manager.records
        exits = PositionExit(self.order_manager, self.accounts, states)
        self._parts = (
            PlaceRoutes(self.order_manager, exits, states, door),
            ReadRoutes(records, states, door),
            OrderLedger(records, states),
            AccountRoutes(self.accounts, self.order_manager, states, calendar, door),
            ReportRoutes(records, states, door),
            UserRoutes(self.accounts, states, door),
            GttRoutes(self.gtts, states, door),
            self.stream,
        )

    def routes(self) -> list[web.RouteDef]:
        """Every call about orders and accounts."""
        return [route for part in self._parts for route in part.routes()]

    def step(self, trades: Sequence[Trade], now_ms: int) -> None:
        """The market has come to `now_ms` through `trades`."""
        self.order_manager.step(trades, now_ms)
        self.gtts.step(trades, now_ms)

    def _publish(self, update: Update) -> None:
        self.stream.publish(update)
        self.webhook.publish(update)
