"""Whether auth does what its OpenAPI document says, whatever it is sent."""

import asyncio
import os
import sys

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from embedded.daemons import ROOT
from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
    "unsupported_method", "allow_header_conformance", "ignored_auth",
)  # fmt: skip


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


async def schemathesis(url: str, *options: str, **environ: str) -> tuple[int, str]:
    """The exit code and output of its command line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{url}/auth/openapi.json",
        "--url", url, "--seed", "1", "--workers", "1", "--no-color", "--continue-on-failure",
        "--phases", "examples,coverage,fuzzing", "--max-examples", "10",
        "--checks", ",".join(CHECKS), *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env=os.environ | environ,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 100)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, output.decode()


@pytest.mark.timeout(120)
async def test_nothing_that_it_is_sent_gets_a_5xx_or_an_undocumented_answer(
    auth: Auth, root: None
) -> None:
    code, output = await schemathesis(
        auth.url,
        SCHEMATHESIS_HOOKS="tests.support.fresh_logins",
        AUTH_URL=auth.url,
        AUTH_EMAIL=EMAIL,
        AUTH_PASSWORD=PASSWORD,
    )
    print(output)
    assert code == 0, output
