"""Origins are equal with and without the default port, and in no other case."""

import pytest

from shared.web.origins import is_of_host, normalised, origin_of


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("https", "h", "https://h"),
        ("https", "h:443", "https://h"),
        ("HTTPS", "H.Example:443", "https://h.example"),
        ("http", "h:80", "http://h"),
        ("http", "h:", "http://h"),
        ("https", "h:80", "https://h:80"),
        ("http", "h:443", "http://h:443"),
        ("https", "h:8443", "https://h:8443"),
        ("https", "h:4433", "https://h:4433"),
        ("https", "[::1]:443", "https://[::1]"),
        ("https", "[::1]", "https://[::1]"),
        ("http", "[2001:db8::80]:80", "http://[2001:db8::80]"),
        ("http", "[2001:db8::80]", "http://[2001:db8::80]"),
        ("https", "127.0.0.1:443", "https://127.0.0.1"),
    ],
)
def test_the_default_port_of_the_scheme_is_left_out(scheme: str, host: str, origin: str) -> None:
    assert origin_of(scheme, host) == origin
    assert normalised(f"{scheme}://{host}") == origin


@pytest.mark.parametrize("text", ["null", "", "h:443", "about:blank"])
def test_what_is_no_origin_stays_as_it_is(text: str) -> None:
    assert normalised(text) == text
    assert not is_of_host(text, text)


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("https://h", "h:443", True),
        ("https://h", "h", True),
        ("https://h:443", "h", True),
        ("http://h", "h:80", True),
        ("https://h", "h:80", False),
        ("http://h", "h:443", False),
        ("https://h:8443", "h", False),
        ("https://h.evil", "h", False),
        ("https://h", "h.evil:443", False),
        ("https://h@evil", "h", False),
    ],
)
def test_a_page_is_of_a_host_only_with_the_same_name_and_port(
    origin: str, host: str, expected: bool
) -> None:
    assert is_of_host(origin, host) is expected
