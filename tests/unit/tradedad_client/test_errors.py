"""A refusal names the field that it is about."""

from tradedad_client import Refused


def test_the_field_is_named_once() -> None:
    assert str(Refused("must be 5", code="invalid_field", field="limit")) == (
        "limit: must be 5 (invalid_field)"
    )
    assert str(Refused("not a token", field="to")) == "to: not a token"
    assert str(Refused("limit: must be 5", field="limit")) == "limit: must be 5"
