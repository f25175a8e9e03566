"""The access token is read from the Authorization header."""

import pytest
from aiohttp.test_utils import make_mocked_request

from shared.errors import Unauthenticated
from shared.web.bearer import bearer_token


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER  abc "])
def test_the_scheme_is_read_without_regard_to_case_and_spaces(value: str) -> None:
    request = make_mocked_request("GET", "/", headers={"Authorization": value})
    assert bearer_token(request) == "abc"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic abc"},
        {"Authorization": "abc"},
    ],
    ids=str,
)
def test_a_request_without_a_token_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        bearer_token(make_mocked_request("GET", "/", headers=headers))
