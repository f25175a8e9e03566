import pytest

from services.auth.http.same_origin import check_same_origin
from shared.errors import Forbidden

HOST = "tradedad.example"
OTHER_PAGE = "https://app.tradedad.example"


@pytest.mark.parametrize(
    ("fetch_site", "origin"),
    [
        ("same-origin", "https://tradedad.example"),
        ("same-origin", None),
        (None, "https://tradedad.example"),
        ("same-site", OTHER_PAGE),
        (None, OTHER_PAGE),
    ],
)
def test_a_page_of_this_host_or_of_an_allowed_origin_is_accepted(
    fetch_site: str | None, origin: str | None
) -> None:
    check_same_origin(fetch_site, origin, HOST, {OTHER_PAGE})


@pytest.mark.parametrize(
    ("fetch_site", "origin"),
    [
        ("cross-site", "https://evil.example"),
        ("cross-site", "https://tradedad.example"),
        ("same-site", "https://evil.tradedad.example"),
        ("none", None),
        ("", None),
        (None, None),
        (None, "null"),
        (None, "https://evil.example"),
        (None, "https://tradedad.example.evil.example"),
        (None, "https://tradedad.example:8443"),
    ],
)
def test_any_other_request_is_refused(fetch_site: str | None, origin: str | None) -> None:
    with pytest.raises(Forbidden):
        check_same_origin(fetch_site, origin, HOST, {OTHER_PAGE})


@pytest.mark.parametrize("host", ["tradedad.example:443", "Tradedad.Example", "tradedad.example"])
@pytest.mark.parametrize("origin", ["https://tradedad.example", "https://tradedad.example:443"])
def test_the_default_port_makes_no_difference(host: str, origin: str) -> None:
    check_same_origin(None, origin, host, ())
    check_same_origin("cross-site", origin, "other.example", {f"https://{host}"})


@pytest.mark.parametrize("host", ["tradedad.example:80", "tradedad.example:8443"])
def test_another_port_is_another_host(host: str) -> None:
    with pytest.raises(Forbidden):
        check_same_origin(None, "https://tradedad.example", host, ())
