"""All routes of login calls."""

from typing import Final

from aiohttp import web

from services.simulator.access.application import Application, Consent
from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.access.tokens import TokenStore
from services.simulator.api.login.authorization_dialog import AuthorizationDialogRoutes
from services.simulator.api.login.console_tokens import ConsoleTokenRoutes
from services.simulator.api.login.profile import ProfileRoutes
from services.simulator.api.login.token_approval import TokenApprovalRoutes
from services.simulator.api.login.token_exchange import TokenExchangeRoutes
from services.simulator.callbacks.notifier import Notifier
from services.simulator.settings import SimulatorSettings
from services.simulator.simulation.exchange_clock import ExchangeClock
from shared.runtime.clock import Clock

_CODE_LIFETIME_SECS: Final = 600.0
_CODE_BYTES: Final = 6


def login_routes(
    settings: SimulatorSettings,
    tokens: TokenStore,
    exchange_clock: ExchangeClock,
    wall_clock: Clock,
) -> list[web.RouteDef]:
    """The routes of dialog, token exchange, approval, console tokens and profile."""
    application = Application.from_settings(settings)
    codes: OneTimeCodes[Consent] = OneTimeCodes(
        wall_clock, lifetime_secs=_CODE_LIFETIME_SECS, code_bytes=_CODE_BYTES
    )
    notifier = Notifier(settings.notifier_url, timeout_secs=settings.notifier_timeout_secs)
    return [
        *AuthorizationDialogRoutes(application, codes).routes(),
        *TokenExchangeRoutes(application, codes, tokens, exchange_clock).routes(),
        *TokenApprovalRoutes(application, tokens, exchange_clock, notifier).routes(),
        *ConsoleTokenRoutes(tokens, exchange_clock).routes(),
        *ProfileRoutes(tokens).routes(),
    ]
