"""Links of Upstox accounts in tests: one term of a partition, and logins at the simulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
from pymongo.errors import PyMongoError

from services.trading.links.documents import AUDIT
from services.trading.links.link import Link, Links
from services.trading.links.term import LinkTerm, open_links
from services.trading.settings import TradingSettings
from services.trading.store.documents import PARTITIONS
from shared.contracts.upstox_links import (
    LinkBeginRequest,
    LinkFinishRequest,
    LinkPurpose,
    LinkStatusRequest,
    LinkView,
    UnlinkRequest,
    state_user,
)
from shared.errors import Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Mongo
from shared.runtime.tasks import stop
from tests.support.clocks import OffClock
from tests.support.patience import PATIENCE_SECS
from tests.support.settings import upstox_settings

log = get_logger(__name__)

REDIRECT_URL: Final = "http://127.0.0.1:7400/v1/link/upstox/callback"
APP: Final = {"client_id": "simulated-client", "client_secret": "simulated-secret"}
USER: Final = "user-1"
OTHER: Final = "user-2"
FAULTS: Final = "/simulator/v1/faults"
TOKEN_PATH: Final = "/v2/login/authorization/token"
PROFILE_PATH: Final = "/v2/user/profile"
_DECISION_PATH: Final = "/simulator/v1/login/decision"


class QuickClock(OffClock):
    """A clock that can be set, and whose waits are short."""

    def __init__(self) -> None:
        super().__init__(0.0)

    async def sleep(self, secs: float) -> None:
        await asyncio.sleep(min(secs, 0.01))


def link_settings(simulator_url: str, keys_dir: Path | None, **options: Any) -> TradingSettings:
    """Settings with which accounts can be linked at the simulator."""
    return TradingSettings.model_validate(
        {
            "ops_port": 0,
            "nats_password": "unused",
            "upstox": upstox_settings(simulator_url, ""),
            "keys_dir": keys_dir,
            "upstox_client_id": APP["client_id"],
            "upstox_client_secret": APP["client_secret"],
            "upstox_redirect_url": REDIRECT_URL,
        }
        | options
    )


@asynccontextmanager
async def link_term(
    mongo: Mongo,
    settings: TradingSettings,
    partition: int = 0,
    *,
    clock: SystemClock | None = None,
    **options: Any,
) -> AsyncIterator[LinkTerm]:
    """The links of a partition, running, for a new owner. A newer owner may end the term."""
    guard = EpochGuard(mongo, PARTITIONS, f"{partition}/{settings.partitions}")
    try:
        epoch = (await guard.take_over())["epoch"]
        term = await open_links(
            mongo, guard, epoch, settings, clock or SystemClock(), partition, **options
        )
        running = asyncio.create_task(term.run(), name="links")
        try:
            yield term
        finally:
            ended = running.done()
            await stop([running])
        if ended:
            try:
                running.result()
            except* (Unavailable, PyMongoError):  # its session was ended in a transaction
                log.info("the term ended early: there was a newer owner")
    finally:
        await guard.close()


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser brings back from Upstox."""

    state: str
    code: str

    def request(self, user_id: str | None = None, *, is_admin: bool = False) -> LinkFinishRequest:
        """The request of the gateway; by default for the user who has begun the login."""
        user = state_user(self.state) if user_id is None else user_id
        return LinkFinishRequest(user_id=user, is_admin=is_admin, state=self.state, code=self.code)


async def log_in(login_url: str, *, upstox_user: str = "SIM001") -> Returned:
    """Allow access in the simulator's dialog, as a browser of this simulated user would."""
    parts = urlsplit(login_url)
    form = dict(parse_qsl(parts.query)) | {"decision": "allow", "user_id": upstox_user}
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
    async with aiohttp.ClientSession(f"{parts.scheme}://{parts.netloc}", timeout=timeout) as http:
        async with http.get(login_url) as page:
            assert page.status == 200, await page.text()
        async with http.post(_DECISION_PATH, data=form, allow_redirects=False) as response:
            location = response.headers["Location"]
    assert location.startswith(f"{REDIRECT_URL}?")
    query = parse_qs(urlsplit(location).query)
    return Returned(query["state"][0], query["code"][0])


async def begin(
    term: LinkTerm,
    user_id: str,
    purpose: LinkPurpose = LinkPurpose.TRADING,
    app: dict[str, str] | None = None,
) -> Returned:
    """A login up to the moment when the browser comes back."""
    request = LinkBeginRequest(user_id=user_id, purpose=purpose, **(app or {}))
    return await log_in((await term.commands.begin(request)).login_url)


async def link(
    term: LinkTerm,
    user_id: str,
    purpose: LinkPurpose = LinkPurpose.TRADING,
    app: dict[str, str] | None = None,
) -> LinkView:
    """A whole login."""
    returned = await begin(term, user_id, purpose, app)
    is_admin = purpose is LinkPurpose.FEED
    return await term.commands.finish(returned.request(is_admin=is_admin))


async def post(simulator_url: str, path: str, body: dict[str, Any]) -> int:
    """Post JSON to the simulator; the status of its answer."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
    async with aiohttp.ClientSession(simulator_url, timeout=timeout) as http:
        async with http.post(path, json=body) as response:
            return response.status


async def status(term: LinkTerm, user: str, purpose: LinkPurpose = LinkPurpose.TRADING) -> LinkView:
    """The link of a user."""
    return await term.commands.status(LinkStatusRequest(user_id=user, purpose=purpose))


async def unlink(term: LinkTerm, user: str) -> LinkView:
    """End the link of a user."""
    return await term.commands.unlink(UnlinkRequest(user_id=user, purpose=LinkPurpose.TRADING))


async def profile_status(upstox: str, token: str) -> int:
    """The status of Upstox's answer to a read of the profile with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(upstox, headers=headers) as http:
        async with http.get(PROFILE_PATH) as response:
            return response.status


async def events(mongo: Mongo, user: str) -> list[str]:
    """The audited events of a user, the oldest first."""
    cursor = mongo.db[AUDIT].find({"user": user}).sort("_id")
    return [entry["event"] async for entry in cursor]


def alive(links: Links, user: str) -> Link:
    """The link of a user, which must be alive."""
    found = links.link(user)
    assert found is not None
    return found


async def new_token(upstox: str) -> str:
    """A token of the simulated user that no link has."""
    url = (
        f"{upstox}/v2/login/authorization/dialog?response_type=code&client_id={APP['client_id']}"
        f"&redirect_uri={REDIRECT_URL}&state=s"
    )
    form = {
        "code": (await log_in(url)).code,
        "redirect_uri": REDIRECT_URL,
        "grant_type": "authorization_code",
    }
    async with aiohttp.ClientSession(upstox) as http:
        async with http.post(TOKEN_PATH, data=form | APP) as response:
            token: str = (await response.json())["access_token"]
    return token
