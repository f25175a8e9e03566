"""A session whose renewal gets no answer: the server has made a new token that never arrived."""

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.support.patience import PATIENCE_SECS
from tests.support.trader_page import TraderPage

COOKIE = "__Host-tradedad_refresh"


class LostRenewals:
    """Lets the first requests reach auth, and loses their answers with the new cookies."""

    def __init__(self, context: BrowserContext, count: int) -> None:
        self._context = context
        self._left = count
        self.statuses: list[int] = []

    async def route(self, route: Route) -> None:
        if self._left == 0:
            await route.continue_()
            return
        self._left -= 1
        self.statuses.append(await self._send(route))
        await route.abort()

    async def _send(self, route: Route) -> int:
        """Send the request outside the browser, which would keep the new cookie."""
        (cookie,) = [one for one in await self._context.cookies() if one.get("name") == COOKIE]
        headers = route.request.headers | {"cookie": f"{COOKIE}={cookie.get('value')}"}
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(route.request.url, data=route.request.post_data, headers=headers) as answer,
        ):
            assert answer.cookies[COOKIE].value != cookie.get("value")
            return answer.status


@pytest.mark.parametrize("count", [1, 3], ids=["one", "several"])
async def test_lost_answers_of_a_renewal_keep_the_session(
    context: BrowserContext, address: str, count: int
) -> None:
    tab = await TraderPage.open(context, address)
    email = await tab.sign_up()
    renewals = LostRenewals(context, count)
    await tab.page.route("**/auth/refresh", renewals.route)
    await tab.page.reload()  # which loses the access token
    await expect(tab.page.locator("#who")).to_have_text(email)
    await tab.wait_for_moving_price("RELIANCE")
    assert renewals.statuses == [200] * count

    await tab.page.reload()  # with the cookie that has arrived
    await expect(tab.page.locator("#who")).to_have_text(email)
    assert tab.faults == []
