import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from docgen.reference import AUTH_OPENAPI
from services.auth.http import operations


def test_the_document_is_good_openapi() -> None:
    errors = list(OpenAPIV31SpecValidator(json.loads(operations.openapi())).iter_errors())
    assert errors == []


def test_the_document_in_docs_is_up_to_date() -> None:
    assert AUTH_OPENAPI.read_text() == operations.openapi(), "run: make docs"


def test_each_operation_has_a_name_and_a_place_of_its_own() -> None:
    names = [operation.name for operation in operations.ALL]
    places = [(operation.method, operation.path) for operation in operations.ALL]
    assert len(set(names)) == len(set(places)) == len(operations.ALL)


def test_the_document_tells_no_secret_and_asks_for_passwords_as_such() -> None:
    schemas = json.loads(operations.openapi())["components"]["schemas"]
    assert schemas["LoginRequest"]["properties"]["password"]["format"] == "password"
    assert not schemas["LoginRequest"]["additionalProperties"]
    assert "password_hash" not in operations.openapi()
