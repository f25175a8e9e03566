import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from docgen.reference import AUTH_OPENAPI
from services.auth.http import operations


def test_the_document_is_valid_openapi() -> None:
    errors = list(OpenAPIV31SpecValidator(json.loads(operations.openapi())).iter_errors())
    assert errors == []


def test_the_document_in_docs_is_up_to_date() -> None:
    assert AUTH_OPENAPI.read_text() == operations.openapi(), "run: make docs"


def test_each_operation_has_a_unique_name_and_a_unique_method_and_path() -> None:
    names = [operation.name for operation in operations.ALL]
    places = [(operation.method, operation.path) for operation in operations.ALL]
    assert len(set(names)) == len(set(places)) == len(operations.ALL)


def test_the_document_declares_passwords_as_such_and_contains_no_hash() -> None:
    schemas = json.loads(operations.openapi())["components"]["schemas"]
    assert schemas["LoginRequest"]["properties"]["password"]["format"] == "password"
    assert not schemas["LoginRequest"]["additionalProperties"]
    assert "password_hash" not in operations.openapi()
