"""All login calls on one page."""

from aiohttp import web

from services.simulator.exchange_clock import ExchangeClock
from services.simulator.login.account import LoginAccount
from services.simulator.login.application import Application
from services.simulator.login.approval import Approvals
from services.simulator.login.codes import AuthorizationCodes
from services.simulator.login.console import Console
from services.simulator.login.dialog import Dialog
from services.simulator.login.exchange import Exchange
from services.simulator.login.notifier import Notifier
from services.simulator.settings import SimulatorSettings
from services.simulator.tokens import Tokens
from shared.runtime.clock import Clock


def login_routes(
    settings: SimulatorSettings, tokens: Tokens, exchange_clock: ExchangeClock, wall_clock: Clock
) -> list[web.RouteDef]:
    """Everything that gives, shows or ends a token."""
    application = Application.of(settings)
    codes = AuthorizationCodes(wall_clock)
    notifier = Notifier(settings.notifier_url, timeout_secs=settings.notifier_timeout_secs)
    return [
        *Dialog(application, codes).routes(),
        *Exchange(application, codes, tokens, exchange_clock).routes(),
        *Approvals(application, tokens, exchange_clock, notifier).routes(),
        *Console(tokens, exchange_clock).routes(),
        *LoginAccount(tokens).routes(),
    ]
