"""The blocking client has every call of the asynchronous one."""

import gc
import inspect
import threading
import weakref
from typing import Any

import pytest

from embedded.ports import free_ports
from tradedad_client import Client, Instruments, Trading, Unreachable, sync
from tradedad_client.account_events import AccountEvents
from tradedad_client.subscription import Subscription


def public(kind: type[Any]) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("facade", "kind"),
    [
        (sync.Client, Client),
        (sync.Trading, Trading),
        (sync.Instruments, Instruments),
        (sync.Subscription, Subscription),
        (sync.AccountEvents, AccountEvents),
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_public_name_is_there(facade: type[Any], kind: type[Any]) -> None:
    assert public(kind) - public(facade) == set()
    for name in public(facade) - {"read"}:
        method = getattr(facade, name)
        assert not inspect.iscoroutinefunction(method), name
        assert method.__doc__, name


def test_the_options_are_those_of_the_asynchronous_client() -> None:
    options = inspect.signature(Client).parameters.keys() - {"http"}
    assert inspect.signature(sync.Client).parameters.keys() == options


def test_a_client_that_cannot_connect_ends_its_thread() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unreachable, match="nothing listens there"):
        sync.Client(f"http://127.0.0.1:{port}", token="t", open_timeout_secs=0.5)
    assert not any(thread.name == "tradedad" for thread in threading.enumerate())


def test_a_client_that_nothing_refers_to_is_closed() -> None:
    client = sync.Client("http://127.0.0.1:9", token="t", stream=False)
    thread = client._thread._thread
    part = client.instruments
    reference = weakref.ref(client)
    del client
    gc.collect()
    assert reference() is not None, "its part is still in use"
    del part
    gc.collect()
    assert reference() is None
    assert not thread.is_alive()


def test_a_closed_client_refuses_calls() -> None:
    with sync.Client("http://127.0.0.1:9", token="t", stream=False) as client:
        instruments = client.instruments
    with pytest.raises(RuntimeError, match="after it was closed"):
        instruments.search("x")
