"""Links are printed with their account, their end in Indian time, and why they cannot be used."""

import msgspec
import pytest

from tests.support.gateway.fake_links import LINKED
from tradedad_client.arguments import parser
from tradedad_client.link_commands import format_link, format_login
from tradedad_client.link_messages import LinkLogin, LinkStatus

STATUS = msgspec.convert(msgspec.to_builtins(LINKED), LinkStatus)


def test_a_link_is_one_line_with_its_account_and_its_end() -> None:
    status = msgspec.structs.replace(STATUS, expires_at=1_764_367_200_000)
    assert format_link(status) == ["linked  7BB2AA (Asha Rao)  until 2025-11-29 03:30 IST"]


def test_what_prevents_orders_is_said() -> None:
    status = msgspec.structs.replace(STATUS, state="expired", detail="log in", live_trading=False)
    assert format_link(status)[1:] == [
        "log in",
        "the operator does not allow orders on Upstox accounts",
    ]


def test_a_login_is_printed_with_its_address() -> None:
    login = LinkLogin(login_url="https://upstox.example/?state=s", expires_at=1_764_367_200_000)
    first, url = format_login(login)
    assert "before 2025-11-29 03:30 IST" in first
    assert url == login.login_url


def test_an_app_cannot_be_combined_with_a_request_to_ask(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["link", "--ask", "--client-id", "app-1"])
    assert "not allowed with" in capsys.readouterr().err
