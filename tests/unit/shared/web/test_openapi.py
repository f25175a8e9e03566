from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, ConfigDict

from shared.errors import InvalidField, NotFound, Overloaded, Unavailable
from shared.web.openapi import Operation, document


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Page(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    limit: int = 10
    """How many."""
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
        body=Ask,
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


def test_it_is_good_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_operations_of_one_path_are_together_with_their_parameters() -> None:
    methods = DOCUMENT["paths"]["/things/{thing_id}"]
    assert set(methods) == {"post", "get"}
    parameters = [
        (one["name"], one["in"], one["required"]) for one in methods["post"]["parameters"]
    ]
    assert parameters == [
        ("thing_id", "path", True),
        ("limit", "query", False),
        ("after", "query", False),
        ("kinds", "query", False),
    ]
    assert methods["post"]["requestBody"]["required"]
    assert "requestBody" not in methods["get"]


def test_errors_are_told_by_status_with_all_their_codes() -> None:
    responses = DOCUMENT["paths"]["/things/{thing_id}"]["post"]["responses"]
    assert set(responses) == {"201", "204", "404", "422", "503"}
    assert responses["503"]["description"] == "Service Unavailable: overloaded, unavailable"
    assert "Retry-After" in responses["503"]["headers"]
    assert set(responses["404"]["content"]) == {"application/problem+json"}
    assert "content" not in responses["204"]


def test_what_is_open_to_everybody_says_so() -> None:
    methods = DOCUMENT["paths"]["/things/{thing_id}"]
    assert methods["get"]["security"] == [{}]
    assert methods["post"]["security"] == [{"bearer": []}]


def test_a_parameter_is_described_as_it_is_when_it_is_there() -> None:
    parameters = DOCUMENT["paths"]["/things/{thing_id}"]["post"]["parameters"]
    limit, after, kinds = parameters[1:]
    assert (limit["description"], limit["schema"]["default"]) == ("How many.", 10)
    assert after["schema"] == {"title": "After", "type": "string"}
    assert kinds["schema"]["type"] == "array"


def test_headers_of_an_operation_are_on_all_its_answers() -> None:
    responses = DOCUMENT["paths"]["/things/{thing_id}"]["get"]["responses"]
    assert set(responses) == {"200", "304", "404", "503"}
    assert all("ETag" in answer["headers"] for answer in responses.values())
    assert set(responses["503"]["headers"]) == {"ETag", "Retry-After"}
