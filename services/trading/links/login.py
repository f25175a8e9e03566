"""Links Upstox accounts: begins and finishes logins, asks for tokens, and unlinks.

A code of Upstox and a state of ours can be used once. Whatever fails between the exchange of the
code and the storing of the token, the user logs in again.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from services.trading.links.documents import (
    LINKS,
    LOGINS,
    LinkEvent,
    PendingLogin,
    StoredLink,
    link_id,
    secret_place,
    token_place,
)
from services.trading.links.expiry import next_death_ms
from services.trading.links.login_calls import App, LoginCalls
from services.trading.links.login_state import LOGIN_SECS, login_url, new_state, state_hash
from services.trading.links.seal_keys import SealKeys
from services.trading.links.sealing import SealBroken
from services.trading.links.store import LinkStore
from services.trading.links.upstox_words import Profile
from shared.contracts.upstox_links import (
    LinkBeginReply,
    LinkBeginRequest,
    LinkFinishRequest,
    LinkPurpose,
)
from shared.errors import (
    Forbidden,
    InvalidField,
    LinkRefused,
    LinkStateInvalid,
    LinkTaken,
    NotFound,
    RequestError,
)
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_DEFAULT_WAIT_MS: Final = 10 * 60_000
"""How long a request waits for its token if Upstox does not say it."""


class LinkLogin:
    """All methods raise RequestError, PyMongoError while the database is unavailable, or
    ConfigError if the sealing keys cannot be used.
    """

    def __init__(
        self,
        store: LinkStore,
        keys: SealKeys,
        calls: LoginCalls,
        clock: Clock,
        *,
        operator_app: App | None,
        api_url: str,
        redirect_url: str,
    ) -> None:
        self._store = store
        self._keys = keys
        self._calls = calls
        self._clock = clock
        self._operator_app = operator_app
        self._api_url = api_url
        self._redirect_url = redirect_url

    async def begin(self, request: LinkBeginRequest) -> LinkBeginReply:
        """Start a login; an earlier one of the same user and purpose ends."""
        link_id(request.user_id, request.purpose)
        app = self._app_of(request)
        await self._keys.check()  # now, and not after Upstox has taken the code
        state = new_state(request.user_id)
        document_id = state_hash(state)
        sealed = None
        if app.is_own:
            sealed = await self._keys.seal(app.client_secret, secret_place(LOGINS, document_id))
        expires_at = to_datetime(self._clock.now_ms()) + timedelta(seconds=LOGIN_SECS)
        await self._store.begin(
            PendingLogin(
                hash=document_id,
                user_id=request.user_id,
                purpose=request.purpose,
                own_app=app.is_own,
                client_id=app.client_id,
                expires_at=expires_at,
                sealed_secret=sealed,
            )
        )
        return LinkBeginReply(
            login_url=login_url(self._api_url, app.client_id, self._redirect_url, state),
            expires_at=int(expires_at.timestamp() * 1_000),
        )

    async def finish(self, request: LinkFinishRequest) -> tuple[StoredLink, str]:
        """Use up state and code; the stored link and its token.

        The state of another user is not used up. Raises LinkStateInvalid, LinkRefused, LinkTaken,
        Forbidden or Unavailable.
        """
        login = await self._store.take_login(state_hash(request.state), request.user_id)
        if login is None:
            raise LinkStateInvalid("this login is unknown, was used or is too old; start again")
        app = await self._app(
            login.own_app, login.client_id, login.sealed_secret, LOGINS, login.hash
        )
        issued_ms = self._clock.now_ms()
        try:
            _check_permitted(login, is_admin=request.is_admin)
            answer = await self._calls.token(app, request.code, self._redirect_url)
            profile = await self._profile(answer.access_token, answer.user_id)
            await self._check_same_account(login, profile.user_id)
            link = await self._new_link(login, app, profile, answer.access_token, issued_ms)
            await self._store.save(link, LinkEvent.LINKED)
        except (LinkRefused, LinkTaken, Forbidden) as error:
            event = LinkEvent.TAKEN if isinstance(error, LinkTaken) else LinkEvent.REFUSED
            await self._record(event, login.user_id, login.purpose, app.client_id, error)
            raise
        log.info("upstox account linked", user=login.user_id, purpose=link.purpose.value)
        return link, answer.access_token

    async def request(self, user_id: str, purpose: LinkPurpose) -> StoredLink:
        """Let Upstox ask the user for a token. The account must have been linked by a login."""
        link = await self._store.link(user_id, purpose)
        if link is None:
            raise NotFound("no Upstox account is linked; log in once first")
        app = await self._app(
            link.own_app, link.client_id, link.sealed_secret, LINKS, link.document_id
        )
        try:
            request = await self._calls.request(app)
        except LinkRefused as error:
            await self._record(LinkEvent.REFUSED, user_id, purpose, app.client_id, error)
            raise
        now_ms = self._clock.now_ms()
        until_ms = min(request.expires_ms or now_ms + _DEFAULT_WAIT_MS, next_death_ms(now_ms))
        await self._store.await_token(link, until_ms)
        return replace(link, waiting_until_ms=until_ms)

    async def accept_token(self, link: StoredLink, access_token: str) -> StoredLink | None:
        """Store a token that somebody has posted for a link, if it is of the same Upstox user.

        The token is verified by a call. None if the link was removed meanwhile. Raises
        LinkRefused or Unavailable.
        """
        issued_ms = self._clock.now_ms()
        await self._profile(access_token, link.upstox_user_id)
        renewed = replace(
            link,
            sealed_token=await self._keys.seal(access_token, token_place(link.document_id)),
            issued_ms=issued_ms,
            expires_ms=next_death_ms(issued_ms),
            refused=False,
            detail=None,
            waiting_until_ms=None,
        )
        return renewed if await self._store.renew(renewed) else None

    async def unlink(self, user_id: str, purpose: LinkPurpose) -> StoredLink | None:
        """Remove a link. Returns it; None if there was none."""
        return await self._store.remove(user_id, purpose)

    async def log_out(self, link: StoredLink, access_token: str | None) -> None:
        """End a removed token at Upstox, if possible: it expires at 03:30 IST in any case."""
        try:
            if access_token is None:
                place = token_place(link.document_id)
                access_token = await self._keys.open(link.sealed_token, place)
            await self._calls.logout(access_token)
        except (RequestError, SealBroken) as error:
            log.info("no logout at upstox", user=link.user_id, error=type(error).__name__)

    def _app_of(self, request: LinkBeginRequest) -> App:
        if not self._redirect_url:
            raise Forbidden("the operator has not set up the linking of Upstox accounts")
        if request.client_id and request.client_secret:
            return App(request.client_id, request.client_secret, is_own=True)
        if request.client_id or request.client_secret:
            missing = "client_secret" if request.client_id else "client_id"
            raise InvalidField(f"{missing}: give both or none", field=missing)
        if self._operator_app is None:
            rule = "the operator has no app at Upstox; give those of your own"
            raise InvalidField(f"client_id: {rule}", field="client_id")
        return self._operator_app

    async def _app(
        self, own: bool, client_id: str, sealed: str | None, collection: str, document_id: str
    ) -> App:
        """The app of a stored login or link."""
        if not own:
            if self._operator_app is None or self._operator_app.client_id != client_id:
                raise LinkRefused("the operator has another app at Upstox now; start again")
            return self._operator_app
        try:
            secret = await self._keys.open(sealed or "", secret_place(collection, document_id))
        except SealBroken as error:
            log.warning("secret of an app cannot be opened", client_id=client_id, error=str(error))
            raise LinkRefused("the app's secret cannot be read any more; start again") from None
        return App(client_id, secret, is_own=True)

    async def _profile(self, access_token: str, user_id: str) -> Profile:
        """The profile of a token, which must be of this active user of Upstox."""
        profile = await self._calls.profile(access_token)
        if profile.user_id != user_id:
            raise LinkRefused("the token is of another user of Upstox")
        if not profile.is_active:
            raise LinkRefused("the account is not active at Upstox")
        return profile

    async def _check_same_account(self, login: PendingLogin, upstox_user_id: str) -> None:
        """The orders of an account that is linked for trading need its own token."""
        linked = await self._store.link(login.user_id, login.purpose)
        is_trading = login.purpose is LinkPurpose.TRADING
        if is_trading and linked is not None and linked.upstox_user_id != upstox_user_id:
            raise Forbidden(
                f"this login was of {upstox_user_id}, but {linked.upstox_user_id} is linked;"
                " unlink it first"
            )

    async def _new_link(
        self, login: PendingLogin, app: App, profile: Profile, access_token: str, issued_ms: int
    ) -> StoredLink:
        document_id = link_id(login.user_id, login.purpose)
        secret = secret_place(LINKS, document_id)
        return StoredLink(
            user_id=login.user_id,
            purpose=login.purpose,
            own_app=app.is_own,
            client_id=app.client_id,
            sealed_token=await self._keys.seal(access_token, token_place(document_id)),
            upstox_user_id=profile.user_id,
            user_name=profile.user_name,
            issued_ms=issued_ms,
            expires_ms=next_death_ms(issued_ms),
            linked_ms=issued_ms,
            sealed_secret=await self._keys.seal(app.client_secret, secret) if app.is_own else None,
        )

    async def _record(
        self, event: LinkEvent, user_id: str, purpose: LinkPurpose, client_id: str,
        error: RequestError,
    ) -> None:  # fmt: skip
        await self._store.record(
            event, user_id, purpose, client_id=client_id, code=error.code.value, detail=error.detail
        )


def _check_permitted(login: PendingLogin, *, is_admin: bool) -> None:
    if login.purpose is LinkPurpose.FEED and not is_admin:
        raise Forbidden("only administrators may link the account of the market feed")
