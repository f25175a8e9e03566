"""Streams fit into the limit on open files, and a lower number than configured is logged."""

import resource

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.gateway.settings import GatewaySettings
from services.gateway.stream_capacity import connection_limit, within_file_limit
from shared.runtime.file_limit import MIN_CONNECTIONS, RESERVED

SETTINGS = GatewaySettings(nats_password=SecretStr("password"), auth_connections=16)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    number: int = request.param
    monkeypatch.setattr(resource, "getrlimit", lambda _: (number, number))
    return number


@pytest.mark.parametrize("limit", [20_000], indirect=True)
def test_with_enough_descriptors_the_settings_hold(limit: int) -> None:
    with capture_logs() as logged:
        assert within_file_limit(SETTINGS) == SETTINGS
    assert logged == []


@pytest.mark.parametrize("limit", [256], indirect=True)
def test_with_few_descriptors_some_stay_free_and_the_number_of_streams_is_logged(
    limit: int,
) -> None:
    with capture_logs() as logged:
        fitting = within_file_limit(SETTINGS)
    connections = 256 - RESERVED - 16
    assert connection_limit(SETTINGS) == connections
    assert fitting.max_streams == int(connections * 0.8)
    assert fitting.max_streams + fitting.max_idle_connections <= connections
    (line,) = logged
    assert line["log_level"] == "warning"
    assert (line["max_streams"], line["allowed_streams"]) == (10_000, fitting.max_streams)


@pytest.mark.parametrize("limit", [50], indirect=True)
def test_with_hardly_any_descriptors_some_streams_are_still_accepted(limit: int) -> None:
    assert connection_limit(SETTINGS) == MIN_CONNECTIONS
    assert within_file_limit(SETTINGS).max_streams == int(MIN_CONNECTIONS * 0.8)
