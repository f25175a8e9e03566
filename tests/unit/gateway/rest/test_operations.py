"""The OpenAPI document of /v1."""

import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from docgen.reference import GATEWAY_OPENAPI
from services.gateway.rest import operations


def test_the_document_is_valid_openapi() -> None:
    errors = list(OpenAPIV31SpecValidator(json.loads(operations.openapi())).iter_errors())
    assert errors == []


def test_the_document_in_docs_is_up_to_date() -> None:
    assert GATEWAY_OPENAPI.read_text() == operations.openapi(), "run: make docs"


def test_every_parameter_has_a_description() -> None:
    paths = json.loads(operations.openapi())["paths"]
    parameters = [
        parameter for path in paths.values() for parameter in path["get"].get("parameters", ())
    ]
    assert {parameter["name"] for parameter in parameters} >= {"key", "from", "to", "keys", "q"}
    undescribed = [
        parameter["name"] for parameter in parameters if len(parameter.get("description", "")) < 10
    ]
    assert undescribed == []
    assert not any("anyOf" in parameter["schema"] for parameter in parameters)


def test_every_operation_requires_a_token_and_documents_the_rate_limit_headers() -> None:
    for path in json.loads(operations.openapi())["paths"].values():
        assert path["get"]["security"] == [{"bearer": []}]
        for response in path["get"]["responses"].values():
            assert {"RateLimit", "RateLimit-Policy"} <= set(response["headers"])
        assert "Retry-After" in path["get"]["responses"]["429"]["headers"]
