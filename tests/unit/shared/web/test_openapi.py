"""The document describes every operation, error and parameter."""

from enum import StrEnum

from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidField, NotFound, Overloaded, Unavailable
from shared.web.openapi import Operation, Problem, document


class NewThing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Page(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    limit: int = 10
    """Page size."""
    after: str | None = None
    kinds: list[str] | None = None


class Thing(BaseModel):
    name: str
    note: str | None = None


OPERATIONS = [
    Operation(
        method="POST",
        path="/things/{thing_id}",
        name="makeThing",
        summary="Make a thing.",
        body=NewThing,
        query=Page,
        responses={201: Thing, 204: None},
        errors=(InvalidField, NotFound, Overloaded, Unavailable),
        security=("bearer",),
    ),
    Operation(
        method="GET",
        path="/things/{thing_id}",
        name="thing",
        summary="A thing.",
        responses={200: Thing, 304: None},
        errors=(NotFound, Overloaded),
        headers={"ETag": "Its validator."},
    ),
]
DOCUMENT = document(
    title="things",
    version="1",
    description="",
    operations=OPERATIONS,
    security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
)


def test_the_document_is_valid_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_first_server_is_that_of_the_document() -> None:
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/", "http://127.0.0.1:7400"]


def test_operations_of_one_path_are_grouped_with_their_parameters() -> None:
    methods = DOCUMENT["paths"]["/things/{thing_id}"]
    assert set(methods) == {"post", "get"}
    parameters = [
        (parameter["name"], parameter["in"], parameter["required"])
        for parameter in methods["post"]["parameters"]
    ]
    assert parameters == [
        ("thing_id", "path", True),
        ("limit", "query", False),
        ("after", "query", False),
        ("kinds", "query", False),
    ]
    assert methods["post"]["requestBody"]["required"]
    assert "requestBody" not in methods["get"]


def test_errors_are_grouped_by_status_with_all_their_codes() -> None:
    responses = DOCUMENT["paths"]["/things/{thing_id}"]["post"]["responses"]
    assert set(responses) == {"201", "204", "404", "422", "503"}
    assert responses["503"]["description"] == "Service Unavailable: overloaded, unavailable"
    assert "Retry-After" in responses["503"]["headers"]
    assert responses["503"]["x-codes"] == ["overloaded", "unavailable"]
    assert responses["404"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert "content" not in responses["204"]


def test_an_operation_without_security_needs_no_token() -> None:
    methods = DOCUMENT["paths"]["/things/{thing_id}"]
    assert methods["get"]["security"] == [{}]
    assert methods["post"]["security"] == [{"bearer": []}]


def test_an_optional_parameter_is_described_without_null() -> None:
    parameters = DOCUMENT["paths"]["/things/{thing_id}"]["post"]["parameters"]
    limit, after, kinds = parameters[1:]
    assert (limit["description"], limit["schema"]["default"]) == ("Page size.", 10)
    assert after["schema"] == {"title": "After", "type": "string"}
    assert kinds["schema"]["type"] == "array"


def test_headers_of_an_operation_are_in_all_its_responses() -> None:
    responses = DOCUMENT["paths"]["/things/{thing_id}"]["get"]["responses"]
    assert set(responses) == {"200", "304", "404", "503"}
    assert all("ETag" in response["headers"] for response in responses.values())
    assert set(responses["503"]["headers"]) == {"traceresponse", "ETag", "Retry-After"}
    assert DOCUMENT["components"]["headers"]["ETag"]["description"] == "Its validator."


class Colour(StrEnum):
    RED = "red"


class ThingQuery(BaseModel):
    colour: Colour


class ThingPath(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    thing_id: str
    """Its number."""


class ThingHeaders(BaseModel):
    x_trace: str = Field(alias="X-Trace")


class ThingProblem(Problem):
    hint: str | None = None


def test_path_and_header_parameters_and_the_problem_can_be_described_by_models() -> None:
    operation = Operation(
        method="DELETE", path="/things/{thing_id}", name="deleteThing", summary="Delete a thing.",
        responses={204: None}, errors=(NotFound,), path_parameters=ThingPath, query=ThingQuery,
        request_headers=ThingHeaders, problem=ThingProblem,
    )  # fmt: skip
    whole = document(
        title="things", version="1", description="", operations=[operation], security_schemes={}
    )
    assert list(OpenAPIV31SpecValidator(whole).iter_errors()) == []
    described = whole["paths"]["/things/{thing_id}"]["delete"]
    parameters = [(one["name"], one["in"], one["required"]) for one in described["parameters"]]
    assert parameters == [
        ("thing_id", "path", True), ("colour", "query", True), ("X-Trace", "header", True),
    ]  # fmt: skip
    assert whole["components"]["schemas"]["Colour"]["enum"] == ["red"]
    assert described["parameters"][0]["description"] == "Its number."
    problem = described["responses"]["404"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/ThingProblem"}
    assert "hint" in whole["components"]["schemas"]["ThingProblem"]["properties"]
