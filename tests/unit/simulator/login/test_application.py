"""The registered application is told from any other."""

import pytest

from services.simulator.envelope import Refusal
from services.simulator.login.application import Application
from services.simulator.settings import SimulatorSettings

APPLICATION = Application.of(SimulatorSettings(redirect_uris="http://a/back, http://b/back"))


@pytest.mark.parametrize("uri", ["http://a/back", "http://b/back"])
def test_every_registered_address_is_good(uri: str) -> None:
    APPLICATION.check_address("simulated-client", uri)


@pytest.mark.parametrize(
    ("client_id", "uri"),
    [("simulated-client", "http://c/back"), ("nobody", "http://a/back"), ("simulated-client", "")],
)
def test_other_addresses_are_refused(client_id: str, uri: str) -> None:
    with pytest.raises(Refusal) as refused:
        APPLICATION.check_address(client_id, uri)
    assert refused.value.errors[0].code == "UDAPI100068"


@pytest.mark.parametrize(
    ("client_id", "secret"), [("simulated-client", "wrong"), ("nobody", "simulated-secret")]
)
def test_id_and_secret_must_belong_together(client_id: str, secret: str) -> None:
    APPLICATION.check_credentials("simulated-client", "simulated-secret")
    with pytest.raises(Refusal) as refused:
        APPLICATION.check_credentials(client_id, secret)
    assert refused.value.errors[0].code == "UDAPI100016"


def test_secret_is_not_shown() -> None:
    assert "simulated-secret" not in repr(APPLICATION)
