"""The demo's login at the simulated Upstox, as a user would do it in a browser."""

import re
from html import unescape
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from shared.errors import TradeDadError
from tradedad_client import Client, LinkState

_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)
_DECISION_PATH: Final = "/simulator/v1/login/decision"
_TEXT: Final = re.compile("<code>([^<]+)</code>")


class LinkFailedError(TradeDadError):
    """The account at the simulated Upstox could not be linked."""


async def link_simulated_account(http: aiohttp.ClientSession, client: Client) -> str:
    """Link an account, and return its id at the simulated Upstox.

    Raises LinkFailedError, or the client's ClientError.
    """
    login = await client.trading.link()
    parts = urlsplit(login.login_url)
    decision = f"{parts.scheme}://{parts.netloc}{_DECISION_PATH}"
    form = dict(parse_qsl(parts.query)) | {"decision": "allow"}
    # The simulator redirects to the gateway's page, as Upstox redirects a browser.
    async with http.post(decision, data=form, timeout=_TIMEOUT) as page:
        text = _TEXT.search(await page.text())
        if page.status != 200 or text is None:
            raise LinkFailedError(f"the login at {decision} ended with HTTP {page.status}")
    status = await client.trading.finish_link(unescape(text[1]))
    if status.state != LinkState.LINKED or status.upstox_user_id is None:
        raise LinkFailedError(f"the account is {status.state}: {status.detail}")
    return status.upstox_user_id
