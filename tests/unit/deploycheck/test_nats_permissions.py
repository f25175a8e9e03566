"""A service without a user at nats-server is found."""

from pathlib import Path

from deploycheck.nats_permissions import check
from embedded.daemons import ROOT

CONFIG = ROOT / "deploy" / "nats" / "authorization.conf"


def test_every_service_has_a_user() -> None:
    assert check(CONFIG) == []


def test_a_missing_user_and_a_wrong_password_are_found(tmp_path: Path) -> None:
    text = CONFIG.read_text().replace("user: trading,", "user: trader,")
    text = text.replace("password: $TRADEDAD_AUTH_NATS", "password: $TRADEDAD_GATEWAY_NATS")
    path = tmp_path / "authorization.conf"
    path.write_text(text)
    assert check(path) == [
        "authorization.conf: no user auth with $TRADEDAD_AUTH_NATS_PASSWORD",
        "authorization.conf: no user trading with $TRADEDAD_TRADING_NATS_PASSWORD",
    ]
