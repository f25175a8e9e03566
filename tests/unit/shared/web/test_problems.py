"""Exceptions become error responses, and queries are validated."""

import json
from typing import Annotated, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pydantic import BaseModel, ConfigDict, Field
from structlog.testing import capture_logs

from shared.errors import (
    Code,
    InvalidField,
    LimitExceeded,
    Overloaded,
    RateLimited,
    RequestError,
    Unauthenticated,
)
from shared.runtime.problem_document import problem
from shared.web.problems import problems, read_query


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(le=50)] = 10
    types: Annotated[list[str] | None, Field(alias="type")] = None


def body_of(response: web.StreamResponse) -> dict[str, Any]:
    assert isinstance(response, web.Response)
    assert response.content_type == "application/problem+json"
    assert response.text is not None
    body: dict[str, Any] = json.loads(response.text)
    return body


async def respond(error: Exception) -> web.StreamResponse:
    """The response to a request whose handler raises `error`."""

    async def handler(_: web.Request) -> web.StreamResponse:
        raise error

    return await problems(make_mocked_request("GET", "/path"), handler)


def test_a_problem_has_code_status_and_detail() -> None:
    response = problem(Code.NOT_FOUND, 404, "no such thing")
    assert response.status == 404
    assert body_of(response) == {"code": "not_found", "status": 404, "detail": "no such thing"}
    assert "Retry-After" not in response.headers


async def test_a_request_error_becomes_its_code_status_and_field() -> None:
    response = await respond(InvalidField("limit: too large", field="limit"))
    assert response.status == 422
    assert body_of(response) == {
        "code": "invalid_field",
        "status": 422,
        "detail": "limit: too large",
        "field": "limit",
    }


@pytest.mark.parametrize("error_class", [Overloaded, RateLimited])
async def test_an_error_that_passes_says_when_to_retry(error_class: Any) -> None:
    response = await respond(error_class("wait", retry_after_secs=7))
    assert response.headers["Retry-After"] == "7"


async def test_a_count_at_its_limit_does_not_say_when_to_retry() -> None:
    response = await respond(LimitExceeded("too many streams"))
    assert response.status == 429
    assert "Retry-After" not in response.headers


async def test_a_missing_token_names_the_authentication_scheme() -> None:
    response = await respond(Unauthenticated("no token"))
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_an_unknown_path_and_a_wrong_method_are_problems() -> None:
    missing = await respond(web.HTTPNotFound())
    assert (missing.status, body_of(missing)["code"]) == (404, "not_found")
    wrong = await respond(web.HTTPMethodNotAllowed("PUT", ["POST", "GET"]))
    assert (wrong.status, body_of(wrong)["code"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "GET, POST"


async def test_other_http_responses_pass_through() -> None:
    with pytest.raises(web.HTTPFound):
        await respond(web.HTTPFound("/elsewhere"))


async def test_an_unexpected_exception_is_logged_and_reveals_nothing() -> None:
    with capture_logs() as logged:
        response = await respond(ZeroDivisionError("canary"))
    assert body_of(response)["code"] == "internal"
    assert "canary" not in str(body_of(response))
    assert [line["event"] for line in logged] == ["request failed"]


def test_a_parameter_may_be_repeated_only_if_it_is_a_list() -> None:
    query = read_query(make_mocked_request("GET", "/?limit=5&type=EQ&type=FUT"), Query)
    assert (query.limit, query.types) == (5, ["EQ", "FUT"])
    with pytest.raises(InvalidField) as refusal:
        read_query(make_mocked_request("GET", "/?limit=5&limit=6"), Query)
    assert refusal.value.field == "limit"


@pytest.mark.parametrize(
    ("query", "field"), [("limit=51", "limit"), ("limit=x", "limit"), ("mistyped=1", "mistyped")]
)
def test_a_query_that_breaks_a_rule_names_the_parameter(query: str, field: str) -> None:
    with pytest.raises(RequestError) as refusal:
        read_query(make_mocked_request("GET", f"/?{query}"), Query)
    assert (refusal.value.code, refusal.value.field) == (Code.INVALID_FIELD, field)
    assert refusal.value.detail.startswith(f"{field}: ")
