"""Errors have Upstox's status and field names."""

import json
from http import HTTPStatus

import pytest

from services.simulator.errors import ApiError, ErrorCode


def test_the_body_has_each_field_in_camel_case_and_in_snake_case() -> None:
    error = ApiError(ErrorCode.INVALID_INPUT, "The price is invalid", path="price", value=-1)
    assert json.loads(json.dumps(error.body())) == {
        "errorCode": "UDAPI100036",
        "message": "The price is invalid",
        "propertyPath": "price",
        "invalidValue": -1,
        "error_code": "UDAPI100036",
        "property_path": "price",
        "invalid_value": -1,
    }


def test_an_error_without_a_field_has_null_path_and_value() -> None:
    body = ApiError(ErrorCode.RATE_LIMIT, "Too Many Request Sent").body()
    assert (body["propertyPath"], body["invalidValue"]) == (None, None)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ErrorCode.INVALID_INPUT, HTTPStatus.BAD_REQUEST),
        (ErrorCode.INVALID_TOKEN, HTTPStatus.UNAUTHORIZED),
        (ErrorCode.NOT_PERMITTED, HTTPStatus.FORBIDDEN),
        (ErrorCode.ORDER_NOT_FOUND, HTTPStatus.NOT_FOUND),
        (ErrorCode.ORDER_SERVICE_CLOSED, HTTPStatus.LOCKED),
        (ErrorCode.RATE_LIMIT, HTTPStatus.TOO_MANY_REQUESTS),
    ],
)
def test_the_status_follows_from_the_code(code: ErrorCode, status: HTTPStatus) -> None:
    assert ApiError(code, "message").status == status


def test_codes_are_unique_and_of_upstox_form() -> None:
    assert len({code.value for code in ErrorCode}) == len(ErrorCode)
    assert all(code.value.startswith("UDAPI") for code in ErrorCode)
