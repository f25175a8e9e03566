"""Ports are free and different, and problems name the variable."""

import socket

import pytest

from embedded.ports import HOST, configured_ports, free_ports, free_stack_ports
from embedded.settings import port_variables
from shared.errors import ConfigError


def use_free_ports(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    ports = free_stack_ports()
    for name, port in ports.items():
        monkeypatch.setenv(name, str(port))
    return ports


def test_free_ports_are_all_different() -> None:
    assert len(set(free_ports(20))) == 20


def test_default_ports_are_all_different() -> None:
    defaults = list(port_variables().values())
    assert len(set(defaults)) == len(defaults)


def test_ports_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = use_free_ports(monkeypatch)
    assert configured_ports() == ports


def test_a_taken_port_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = use_free_ports(monkeypatch)
    with socket.socket() as taken:
        taken.bind((HOST, ports["TRADEDAD_GATEWAY_PORT"]))
        taken.listen()
        with pytest.raises(ConfigError) as caught:
            configured_ports()
    (problem,) = caught.value.problems
    assert "TRADEDAD_GATEWAY_PORT" in problem
    assert str(ports["TRADEDAD_GATEWAY_PORT"]) in problem


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "host.invalid", "\u0661.x" * 70])
def test_a_host_of_another_machine_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    use_free_ports(monkeypatch)
    monkeypatch.setenv("TRADEDAD_GATEWAY_HOST", host)
    with pytest.raises(ConfigError) as caught:
        configured_ports()
    (problem,) = caught.value.problems
    assert problem.startswith(f"TRADEDAD_GATEWAY_HOST: {host}")


def test_a_host_of_several_ports_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    use_free_ports(monkeypatch)
    monkeypatch.setenv("TRADEDAD_RUNTIME_OPS_HOST", "192.0.2.1")
    with pytest.raises(ConfigError) as caught:
        configured_ports()
    expected = "TRADEDAD_RUNTIME_OPS_HOST: 192.0.2.1 is not an address of this machine"
    assert caught.value.problems == [expected]


def test_a_port_given_twice_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = use_free_ports(monkeypatch)
    monkeypatch.setenv("TRADEDAD_AUTH_PORT", str(ports["TRADEDAD_GATEWAY_PORT"]))
    with pytest.raises(ConfigError, match="another process of the stack"):
        configured_ports()


@pytest.mark.parametrize("value", ["0", "70000", "web", "-1"])
def test_an_invalid_port_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    use_free_ports(monkeypatch)
    monkeypatch.setenv("TRADEDAD_GATEWAY_PORT", value)
    with pytest.raises(ConfigError, match="TRADEDAD_GATEWAY_PORT"):
        configured_ports()
