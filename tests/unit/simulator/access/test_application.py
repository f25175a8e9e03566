"""Only the registered redirect addresses and credentials are accepted."""

import pytest

from services.simulator.access.application import Application
from services.simulator.errors import ApiError
from services.simulator.settings import SimulatorSettings

APPLICATION = Application.from_settings(
    SimulatorSettings(redirect_uris="http://a/back, http://b/back")
)


@pytest.mark.parametrize("uri", ["http://a/back", "http://b/back"])
def test_every_registered_redirect_uri_is_accepted(uri: str) -> None:
    APPLICATION.check_redirect_uri("simulated-client", uri)


@pytest.mark.parametrize(
    ("client_id", "uri"),
    [("simulated-client", "http://c/back"), ("nobody", "http://a/back"), ("simulated-client", "")],
)
def test_other_redirect_uris_and_clients_are_refused(client_id: str, uri: str) -> None:
    with pytest.raises(ApiError) as error:
        APPLICATION.check_redirect_uri(client_id, uri)
    assert error.value.code == "UDAPI100068"


@pytest.mark.parametrize(
    ("client_id", "secret"), [("simulated-client", "wrong"), ("nobody", "simulated-secret")]
)
def test_client_id_and_secret_must_match(client_id: str, secret: str) -> None:
    APPLICATION.check_credentials("simulated-client", "simulated-secret")
    with pytest.raises(ApiError) as error:
        APPLICATION.check_credentials(client_id, secret)
    assert error.value.code == "UDAPI100016"


def test_the_repr_does_not_contain_the_secret() -> None:
    assert "simulated-secret" not in repr(APPLICATION)
