"""Auth conforms to its OpenAPI document, whatever requests it gets."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth
from tests.support.schemathesis_run import run_schemathesis


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    """Limits so high that no request is delayed."""
    many = 1_000_000
    return settings.model_copy(
        update={
            "free_account_attempts": many,
            "free_address_attempts": many,
            "free_signups": many,
        }
    )


@pytest.fixture
async def root(auth: Auth) -> None:
    """The user is an administrator, who may use every operation."""
    await auth.signup(EMAIL, PASSWORD)
    await auth.mongo.db["users"].update_one({"email": EMAIL}, {"$set": {"roles": ["admin"]}})


async def test_the_openapi_document_is_served_and_valid(auth: Auth) -> None:
    reply = await auth.get("/auth/openapi.json")
    assert reply.status == 200
    assert list(OpenAPIV31SpecValidator(reply.body).iter_errors()) == []


async def test_no_request_gets_a_5xx_or_an_undocumented_response(auth: Auth, root: None) -> None:
    code, output = await run_schemathesis(
        auth.url,
        "/auth/openapi.json",
        SCHEMATHESIS_HOOKS="tests.support.schemathesis_logins",
        AUTH_URL=auth.url,
        AUTH_EMAIL=EMAIL,
        AUTH_PASSWORD=PASSWORD,
    )
    print(output)
    assert code == 0, output
