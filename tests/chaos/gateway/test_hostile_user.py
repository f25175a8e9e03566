"""One user attacks the gateway on all streams that it may have; another user gets every quote."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from tests.support.builders import KEY, fresh_quote
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.websocket import receive, subscribe
from tests.support.hostile_client import ATTACKS
from tests.support.processes import ChildProcess, child_process
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

QUOTES: Final = 150
KEYS: Final = [f"NSE_EQ|{number}" for number in range(1_000)]
# So much CPU time shows that the attack has begun.
ATTACK_CPU_SECS: Final = 0.5


@contextmanager
def attack(gateway: GatewayProcess, kind: str) -> Iterator[None]:
    arguments = [kind, str(gateway.port), gateway.issuer.token(sub="mallory")]
    command = [sys.executable, "-m", "tests.support.hostile_client", *arguments]
    process = ChildProcess("hostile client", command, {})
    with child_process(process):
        yield
        assert process.is_running


@pytest.mark.parametrize("kind", ATTACKS)
async def test_an_attack_by_one_user_costs_another_user_no_quote(
    nats: NatsServer, kind: str
) -> None:
    past = tuple(fresh_quote(key=key) for key in KEYS)
    async with gateway_process(nats, past=past) as gateway, gateway.connect() as reader:
        await subscribe(reader, KEY)
        before = await gateway.metric("process_cpu_seconds_total")
        with attack(gateway, kind):

            async def is_attacked() -> bool:
                now = await gateway.metric("process_cpu_seconds_total")
                return now > before + ATTACK_CPU_SECS

            await eventually(is_attacked, what="the attack begins")
            for seq in range(1, QUOTES):
                await gateway.publish(fresh_quote(key=KEY, seq=seq))
                batch = await receive(reader, "quotes")
                assert "snapshot" not in batch
                assert [quote["seq"] for quote in batch["data"]] == [seq]
        assert '"level": "error"' not in gateway.process.log()
