import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from docgen.reference import GATEWAY_OPENAPI
from services.gateway.rest import operations


def test_the_document_is_good_openapi() -> None:
    errors = list(OpenAPIV31SpecValidator(json.loads(operations.openapi())).iter_errors())
    assert errors == []


def test_the_document_in_docs_is_up_to_date() -> None:
    assert GATEWAY_OPENAPI.read_text() == operations.openapi(), "run: make docs"


def test_every_parameter_says_what_it_is() -> None:
    paths = json.loads(operations.openapi())["paths"]
    parameters = [one for path in paths.values() for one in path["get"].get("parameters", ())]
    assert {one["name"] for one in parameters} >= {"key", "from", "to", "keys", "q"}
    assert [one["name"] for one in parameters if len(one.get("description", "")) < 10] == []
    assert not any("anyOf" in one["schema"] for one in parameters)


def test_every_operation_needs_a_token_and_tells_where_one_stands() -> None:
    for path in json.loads(operations.openapi())["paths"].values():
        assert path["get"]["security"] == [{"bearer": []}]
        for response in path["get"]["responses"].values():
            assert {"RateLimit", "RateLimit-Policy"} <= set(response["headers"])
        assert "Retry-After" in path["get"]["responses"]["429"]["headers"]
