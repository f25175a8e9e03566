"""Settings are checked before anything starts."""

import pytest

from services.simulator.settings import SimulatorSettings
from shared.errors import ConfigError
from shared.runtime.settings import load


def test_defaults_need_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(SimulatorSettings, {})
    assert (settings.host, settings.port, settings.ops_port) == ("127.0.0.1", 7440, 7441)
    assert settings.start_ms is None
    assert settings.access_token.get_secret_value() == "simulated-token"


@pytest.mark.parametrize(
    ("name", "value"), [("SPEED", "0"), ("FRAME_INTERVAL_MS", "9"), ("TRADES_PER_SEC", "-1")]
)
def test_value_out_of_range_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = f"TRADEDAD_SIMULATOR_{name}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=variable):
        load(SimulatorSettings)
