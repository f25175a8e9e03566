"""HTTP handlers of watchlists: read, save, remove and put in order."""

from aiohttp import web

from services.auth.core import watchlists
from services.auth.core.watchlists import Watchlist, WatchlistService
from services.auth.http import operations
from services.auth.http.request_context import RequestContext
from services.auth.http.responses import json_response, no_content
from services.auth.http.routes import Route
from services.auth.http.watchlist_schemas import (
    RevisionQuery,
    WatchlistBody,
    WatchlistOrder,
    WatchlistPath,
    WatchlistsBody,
    WatchlistSetting,
)
from shared.web.problems import read_body, read_path, read_query


class WatchlistHandlers:
    """Handles the operations of the tag `watchlists`. The owner is the user of the access token."""

    def __init__(self, lists: WatchlistService, context: RequestContext) -> None:
        self._lists = lists
        self._context = context

    def routes(self) -> list[Route]:
        """Each operation with its handler."""
        return [
            (operations.WATCHLISTS, self.read),
            (operations.ORDER_WATCHLISTS, self.order),
            (operations.SAVE_WATCHLIST, self.save),
            (operations.REMOVE_WATCHLIST, self.remove),
        ]

    async def read(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        return json_response(WatchlistsBody.of(await self._lists.lists(user_id)))

    async def order(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        order = await read_body(request, WatchlistOrder)
        changed = await self._lists.change(
            user_id, lambda lists: watchlists.ordered(lists, order.list_ids)
        )
        return json_response(WatchlistsBody.of(changed))

    async def save(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        list_id = read_path(request, WatchlistPath).list_id
        setting = await read_body(request, WatchlistSetting)
        wanted = Watchlist(list_id, setting.name, tuple(setting.keys), setting.revision)
        changed = await self._lists.change(user_id, lambda lists: watchlists.saved(lists, wanted))
        (own,) = (one for one in changed if one.list_id == list_id)
        return json_response(WatchlistBody.of(own))

    async def remove(self, request: web.Request) -> web.Response:
        user_id = await self._user_id(request)
        list_id = read_path(request, WatchlistPath).list_id
        revision = read_query(request, RevisionQuery).revision
        await self._lists.change(
            user_id, lambda lists: watchlists.removed(lists, list_id, revision)
        )
        return no_content()

    async def _user_id(self, request: web.Request) -> str:
        return (await self._context.caller(request)).user.user_id
