"""Composes the brokerage: order manager, accounts, their API, portfolio stream, webhook."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from aiohttp import web

from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.access.tokens import TokenStore
from services.simulator.account.account import TradingAccounts
from services.simulator.account.portfolio_updates import PortfolioUpdate, PortfolioUpdates
from services.simulator.account.position_exit import PositionExit
from services.simulator.api.account.portfolio import PortfolioRoutes
from services.simulator.api.account.reports import ReportRoutes
from services.simulator.api.account.user_settings import UserSettingsRoutes
from services.simulator.api.admin.elsewhere import ElsewhereRoutes
from services.simulator.api.admin.orders import OrderAdminRoutes
from services.simulator.api.orders.gtt import GttRoutes
from services.simulator.api.orders.order_entry import OrderEntryRoutes
from services.simulator.api.orders.order_queries import OrderQueryRoutes
from services.simulator.api.request_context import HandlerAdapter
from services.simulator.callbacks.webhook import Webhook
from services.simulator.fault_injection.faults import Faults
from services.simulator.fault_injection.webhook_posts import webhook_posts
from services.simulator.market.flows import Trade
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from services.simulator.orders.gtt_book import GttBook
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.order_store import OrderStore
from services.simulator.orders.visibility import Visibility
from services.simulator.settings import SimulatorSettings
from services.simulator.sockets.portfolio_server import PortfolioServer


class Brokerage:
    """Everything that a broker adds to the market."""

    def __init__(
        self,
        states: Mapping[str, SimulatedState],
        calendar: SimulatedCalendar,
        market_ms: Callable[[], int],
        tokens: TokenStore,
        codes: OneTimeCodes[str],
        settings: SimulatorSettings,
        faults: Faults,
    ) -> None:
        """`market_ms` returns the exchange time up to which the market has advanced."""
        accounts = TradingAccounts(states, opening_paise=settings.opening_cash_rupees * 100)
        order_store = OrderStore(max_rows=settings.ledger_max_rows)
        self._order_manager = OrderManager(
            states,
            calendar,
            accounts,
            order_store,
            start_ms=market_ms(),
            needs_protection=settings.market_orders_need_protection,
            faults=faults,
        )
        self._gtt_book = GttBook(self._order_manager, states, max_rows=settings.ledger_max_rows)
        self.portfolio_server = PortfolioServer(codes, tokens, settings, faults)
        self.webhook = Webhook(settings.webhook_url, timeout_secs=settings.webhook_timeout_secs)
        self.webhook.posts = partial(webhook_posts, faults)
        visibility = Visibility(faults)
        self._order_manager.on_order.append(visibility.on_order)
        updates = PortfolioUpdates(accounts, states, self._publish)
        self._order_manager.on_order.append(updates.on_order)
        self._order_manager.on_fill.append(updates.on_fill)
        self._gtt_book.on_change.append(updates.on_gtt)
        adapt = HandlerAdapter(tokens, market_ms)
        position_exit = PositionExit(self._order_manager, accounts, states, calendar)
        self._routes = [
            *OrderEntryRoutes(self._order_manager, position_exit, states, adapt).routes(),
            *OrderQueryRoutes(order_store, visibility, states, adapt).routes(),
            *OrderAdminRoutes(order_store, states).routes(),
            *ElsewhereRoutes(self._order_manager, market_ms).routes(),
            *PortfolioRoutes(accounts, self._order_manager, states, calendar, adapt).routes(),
            *ReportRoutes(order_store, states, adapt).routes(),
            *UserSettingsRoutes(accounts, states, adapt).routes(),
            *GttRoutes(self._gtt_book, states, adapt).routes(),
            *self.portfolio_server.routes(),
        ]

    def routes(self) -> list[web.RouteDef]:
        """All routes of orders, accounts and the portfolio stream."""
        return self._routes

    def step(self, trades: Sequence[Trade], now_ms: int) -> None:
        """Process the market's trades up to `now_ms`."""
        self._order_manager.step(trades, now_ms)
        self._gtt_book.step(trades, now_ms)

    def _publish(self, update: PortfolioUpdate) -> None:
        self.portfolio_server.publish(update)
        self.webhook.publish(update)
