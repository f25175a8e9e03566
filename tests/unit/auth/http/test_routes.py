import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import REGISTRY

from services.auth.core.accounts import AccountService
from services.auth.core.admin import AdminService
from services.auth.core.sessions import SessionService
from services.auth.core.watchlists import WatchlistService
from services.auth.http import operations
from services.auth.http.authenticator import Authenticator
from services.auth.http.handlers.accounts import AccountHandlers
from services.auth.http.handlers.admin import AdminHandlers
from services.auth.http.handlers.keys import KeyHandlers
from services.auth.http.handlers.sessions import SessionHandlers
from services.auth.http.handlers.watchlists import WatchlistHandlers
from services.auth.http.request_context import RequestContext
from services.auth.http.routes import Route, application
from services.auth.signing.reloading_keyring import ReloadingKeyring
from shared.runtime.health import Readiness
from shared.web.forwarded import ForwardedHeaders
from tests.unit.auth.fakes import FakeClock, MemoryLists


@pytest.fixture
def routes(
    account_service: AccountService,
    session_service: SessionService,
    admin_service: AdminService,
    authenticator: Authenticator,
    keyring: ReloadingKeyring,
    clock: FakeClock,
) -> list[Route]:
    context = RequestContext(authenticator, ForwardedHeaders(()), ())
    return [
        *AccountHandlers(account_service, context, clock).routes(),
        *SessionHandlers(session_service, context, clock).routes(),
        *AdminHandlers(admin_service, context).routes(),
        *WatchlistHandlers(WatchlistService(MemoryLists()), context).routes(),
        *KeyHandlers(keyring).routes(),
    ]


def test_every_documented_operation_has_exactly_one_handler(routes: list[Route]) -> None:
    handled = [operation.name for operation, _ in routes]
    assert sorted(handled) == sorted(operation.name for operation in operations.ALL)


def test_the_application_serves_every_operation_its_document_and_the_health_checks(
    routes: list[Route],
) -> None:
    app = application(routes, Readiness("auth"))
    served = {
        (route.method, route.resource.canonical) for route in app.router.routes() if route.resource
    }
    assert {(operation.method, operation.path) for operation in operations.ALL} <= served
    for path in ("/auth/openapi.json", "/healthz", "/readyz"):
        assert ("GET", path) in served


async def test_a_request_is_counted_by_operation_and_outcome() -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text="{}")

    app = application([(operations.JWKS, handle)], Readiness("auth"))
    labels = {"operation": "jwks", "outcome": "ok"}
    before = REGISTRY.get_sample_value("tradedad_auth_requests_total", labels) or 0.0
    request = make_mocked_request("GET", operations.JWKS.path, app=app)
    match = await app.router.resolve(request)
    await match.handler(request)
    assert REGISTRY.get_sample_value("tradedad_auth_requests_total", labels) == before + 1
