"""A gateway with the trading side of links behind it."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

from tests.support.gateway.fake_links import LOGIN_URL, FakeLinks, answering_links
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import send
from tests.support.http import Reply
from tests.support.servers import NatsServer

PATH: Final = "/v1/link/upstox"


@dataclass(frozen=True)
class LinkRest:
    """Sends requests to the gateway; `links` has what trading got of them."""

    gateway: InProcessGateway
    links: FakeLinks

    async def send(
        self,
        method: str,
        path: str = PATH,
        body: Any = None,
        *,
        user: str | None = "user-1",
        roles: tuple[str, ...] = (),
        **query: Any,
    ) -> Reply:
        """Send a request as `user`, or without a token; a `body` that is not bytes is encoded."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body)
        token = None if user is None else self.gateway.issuer.token(sub=user, roles=list(roles))
        return await send(self.gateway, method, path, token=token, body=raw, **query)

    async def begin(
        self, user: str = "user-1", *, purpose: str = "trading", roles: tuple[str, ...] = ()
    ) -> str:
        """Start a login; its state."""
        reply = await self.send("POST", PATH, {"purpose": purpose}, user=user, roles=roles)
        assert reply.status == 200, reply.text
        return str(reply.body["login_url"]).removeprefix(LOGIN_URL)

    async def come_back(self, **query: Any) -> Reply:
        """Send the browser back from Upstox."""
        return await self.send("GET", f"{PATH}/callback", user=None, **query)

    async def text_of(self, state: str, code: str = "abc123") -> str:
        """The text to copy on the page after a login."""
        reply = await self.come_back(state=state, code=code)
        assert reply.status == 200, reply.text
        text = re.search("<code>([^<]+)</code>", reply.text)
        assert text is not None
        return unescape(text[1])

    async def finish(
        self, answer: str, user: str = "user-1", *, roles: tuple[str, ...] = ()
    ) -> Reply:
        """Finish a login with the text of its page."""
        return await self.send("POST", f"{PATH}/finish", {"answer": answer}, user=user, roles=roles)

    async def link(
        self, user: str = "user-1", *, purpose: str = "trading", roles: tuple[str, ...] = ()
    ) -> Reply:
        """A whole login."""
        text = await self.text_of(await self.begin(user, purpose=purpose, roles=roles))
        return await self.finish(text, user, roles=roles)

    async def state_of(
        self, user: str = "user-1", *, purpose: str = "trading", roles: tuple[str, ...] = ()
    ) -> str:
        """The state of a user's link."""
        reply = await self.send("GET", user=user, roles=roles, purpose=purpose)
        return str(reply.body["state"])


@asynccontextmanager
async def gateway_with_links(nats: NatsServer, **settings: Any) -> AsyncIterator[LinkRest]:
    """A gateway whose requests about links a fake trading service answers."""
    async with answering_links(nats) as links, running_gateway(nats, **settings) as gateway:
        yield LinkRest(gateway, links)
