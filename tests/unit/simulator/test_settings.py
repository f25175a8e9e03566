"""Settings have defaults, and invalid values are refused."""

import pytest

from services.simulator.settings import SIMULATED_TOKEN, SimulatorSettings
from shared.errors import ConfigError
from shared.runtime.settings import load


def test_every_setting_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(SimulatorSettings, {})
    assert (settings.host, settings.port, settings.ops_port) == ("127.0.0.1", 7440, 7441)
    assert settings.start_ms is None
    assert settings.access_token.get_secret_value() == SIMULATED_TOKEN


@pytest.mark.parametrize(
    ("name", "value"), [("SPEED", "0"), ("FRAME_INTERVAL_MS", "9"), ("TRADES_PER_SEC", "-1")]
)
def test_the_error_names_a_variable_that_is_out_of_range(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = f"TRADEDAD_SIMULATOR_{name}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=variable):
        load(SimulatorSettings)
