"""HTTP handlers of administration: accounts, their sessions, and the audit log."""

from aiohttp import web

from services.auth.core.admin import AdminService
from services.auth.http import operations
from services.auth.http.request_context import RequestContext, path_id
from services.auth.http.responses import json_response, no_content
from services.auth.http.routes import Route
from services.auth.http.schemas import (
    AuditEntryBody,
    AuditLogPage,
    AuditQuery,
    Ended,
    UserBody,
    Users,
    UsersQuery,
)
from shared.web.problems import read_query


class AdminHandlers:
    """Handles the operations of the tag `admin`."""

    def __init__(self, admin: AdminService, context: RequestContext) -> None:
        self._admin = admin
        self._context = context

    def routes(self) -> list[Route]:
        """Each operation with its handler."""
        return [
            (operations.USERS, self.list_users),
            (operations.DISABLE, self.disable),
            (operations.ENABLE, self.enable),
            (operations.REVOKE_USER, self.revoke_sessions),
            (operations.AUDIT_LOG, self.audit_log),
        ]

    async def list_users(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        query = read_query(request, UsersQuery)
        # One account more than requested shows whether there is a next page.
        users = await self._admin.list_users(caller, query.after, query.limit + 1, query.prefix)
        page = users[: query.limit]
        next_after = page[-1].email if len(users) > len(page) else None
        return json_response(Users(users=[UserBody.of(user) for user in page], next=next_after))

    async def disable(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        ended = await self._admin.disable(caller, path_id(request, "user_id"))
        return json_response(Ended(sessions_ended=ended))

    async def enable(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        await self._admin.enable(caller, path_id(request, "user_id"))
        return no_content()

    async def revoke_sessions(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        ended = await self._admin.revoke_sessions(caller, path_id(request, "user_id"))
        return json_response(Ended(sessions_ended=ended))

    async def audit_log(self, request: web.Request) -> web.Response:
        caller = await self._context.caller(request)
        query = read_query(request, AuditQuery)
        entries = await self._admin.audit_log(caller, query.user_id, query.before, query.limit + 1)
        page = [AuditEntryBody.of(entry) for entry in entries[: query.limit]]
        next_before = page[-1].entry_id if len(entries) > len(page) else None
        return json_response(AuditLogPage(entries=page, next=next_before))
