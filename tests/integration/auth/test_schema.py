"""Whether auth does what its OpenAPI document says, whatever it is sent."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth
from tests.support.schemathesis_run import run_schemathesis


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    """So that what is tried is not always told to wait."""
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
    """An administrator can try everything."""
    await auth.signup(EMAIL, PASSWORD)
    await auth.mongo.db["users"].update_one({"email": EMAIL}, {"$set": {"roles": ["admin"]}})


async def test_the_document_is_served_and_good(auth: Auth) -> None:
    answer = await auth.get("/auth/openapi.json")
    assert answer.status == 200
    assert list(OpenAPIV31SpecValidator(answer.body).iter_errors()) == []


@pytest.mark.timeout(120)
async def test_nothing_that_it_is_sent_gets_a_5xx_or_an_undocumented_answer(
    auth: Auth, root: None
) -> None:
    code, output = await run_schemathesis(
        auth.url,
        "/auth/openapi.json",
        SCHEMATHESIS_HOOKS="tests.support.fresh_logins",
        AUTH_URL=auth.url,
        AUTH_EMAIL=EMAIL,
        AUTH_PASSWORD=PASSWORD,
    )
    print(output)
    assert code == 0, output
