"""The OpenAPI document of /v1."""

import json
import re
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from docgen.reference import GATEWAY_OPENAPI
from services.gateway.rest import operations


def test_the_document_is_valid_openapi() -> None:
    errors = list(OpenAPIV31SpecValidator(json.loads(operations.openapi())).iter_errors())
    assert errors == []


def test_the_document_in_docs_is_up_to_date() -> None:
    assert GATEWAY_OPENAPI.read_text() == operations.openapi(), "run: make docs"


def every_operation() -> dict[str, dict[str, Any]]:
    """Each operation of the document by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in json.loads(operations.openapi())["paths"].items()
        for method, operation in methods.items()
    }


def test_every_parameter_has_a_description() -> None:
    parameters = [
        parameter
        for operation in every_operation().values()
        for parameter in operation.get("parameters", ())
    ]
    assert {parameter["name"] for parameter in parameters} >= {"key", "from", "account", "q"}
    undescribed = [
        parameter["name"] for parameter in parameters if len(parameter.get("description", "")) < 10
    ]
    assert undescribed == []
    assert not any("anyOf" in parameter["schema"] for parameter in parameters)


def test_every_operation_requires_a_token_and_documents_the_rate_limit_headers() -> None:
    for operation in every_operation().values():
        assert operation["security"] == [{"bearer": []}]
        for response in operation["responses"].values():
            assert {"RateLimit", "RateLimit-Policy"} <= set(response["headers"])
        assert "Retry-After" in operation["responses"]["429"]["headers"]


def test_every_command_requires_an_idempotency_key_and_no_other_operation_has_one() -> None:
    for name, operation in every_operation().items():
        headers = {
            parameter["name"]: parameter["required"]
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "header"
        }
        # Repeated, these change nothing more than once: docs/orders.md.
        has_none = (
            "GET ",
            "POST /v1/orders/preview",
            "POST /v1/orders/{order_id}/preview",
            "POST /v1/link/",
            "DELETE /v1/link/",
        )
        is_command = not name.startswith(has_none) and " /v1/admin/" not in name
        assert headers == ({"Idempotency-Key": True} if is_command else {}), name


def test_every_parameter_of_a_path_is_described() -> None:
    for name, operation in every_operation().items():
        described = {
            parameter["name"]
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "path"
        }
        assert described == set(re.findall(r"{(\w+)}", name))


def test_only_operations_of_administrators_may_be_forbidden() -> None:
    for name, operation in every_operation().items():
        # An administrator links the account of the feed.
        may_be_forbidden = " /v1/admin/" in name or " /v1/link/" in name
        assert ("403" in operation["responses"]) == may_be_forbidden, name
