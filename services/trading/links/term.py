"""All of linking for one term of a partition's owner."""

from collections.abc import Callable
from dataclasses import dataclass

from services.trading.links.commands import LinkCommands
from services.trading.links.directory import LinkDirectory
from services.trading.links.login import LinkLogin
from services.trading.links.login_calls import App, LoginCalls
from services.trading.links.seal_keys import SealKeys
from services.trading.links.store import LinkStore, prepare_link_collections
from services.trading.links.token_hints import TokenHints
from services.trading.settings import TradingSettings
from shared.contracts.upstox_links import LinkHint
from shared.runtime.clock import Clock
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.mongo import Mongo
from shared.runtime.tasks import run_together


@dataclass(frozen=True, slots=True)
class LinkTerm:
    """The links of a partition's users, and the handlers of the requests about them.

    Serve ``commands.handlers()``, give `directory` to what needs `Links`, and run it beside.
    """

    directory: LinkDirectory
    commands: LinkCommands
    hints: TokenHints
    calls: LoginCalls

    async def run(self) -> None:
        """Watch tokens until cancelled; then the calls that wait are dropped.

        Raises an ExceptionGroup of PyMongoError or RequestError if refusals cannot be stored.
        """
        try:
            await run_together({"links": self.directory.run(), "hints": self.hints.run()})
        finally:
            self.calls.close()


async def open_links(
    mongo: Mongo,
    guard: EpochGuard,
    epoch: int,
    settings: TradingSettings,
    clock: Clock,
    partition: int,
    *,
    on_order_hint: Callable[[LinkHint], bool] = lambda _: False,
) -> LinkTerm:
    """Load the links of a partition, after its takeover. Raises PyMongoError."""
    await prepare_link_collections(mongo)
    store = LinkStore(mongo, guard, epoch, clock, audit_days=settings.audit_retention_days)
    keys = SealKeys(settings.keys_dir)
    directory = LinkDirectory(store, keys, clock)
    await directory.load(partition, settings.partitions)
    calls = LoginCalls(settings.upstox)
    login = LinkLogin(
        store,
        keys,
        calls,
        clock,
        operator_app=operator_app(settings),
        api_url=settings.upstox_login_url or settings.upstox.api_url,
        redirect_url=settings.upstox_redirect_url,
    )
    hints = TokenHints(store, login, directory, clock)
    commands = LinkCommands(
        login,
        directory,
        store,
        hints,
        clock,
        live_trading=settings.live_orders,
        on_order_hint=on_order_hint,
    )
    return LinkTerm(directory, commands, hints, calls)


def operator_app(settings: TradingSettings) -> App | None:
    """The operator's app at Upstox; None if there is none."""
    if not settings.upstox_client_id:
        return None
    secret = settings.upstox_client_secret.get_secret_value()
    return App(settings.upstox_client_id, secret, is_own=False)
