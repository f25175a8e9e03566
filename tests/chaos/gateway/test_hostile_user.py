"""One user does its worst on all the streams it may have; another one gets every quote."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from embedded.daemons import ROOT
from tests.support.builders import KEY
from tests.support.gateways import GatewayProcess, fresh, gateway_process, receive, subscribe
from tests.support.hostile import ATTACKS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

QUOTES: Final = 150
KEYS: Final = [f"NSE_EQ|{number}" for number in range(1_000)]


@contextmanager
def attacked(gateway: GatewayProcess, kind: str) -> Iterator[None]:
    arguments = [kind, str(gateway.port), gateway.issuer.token(sub="mallory")]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.hostile", *arguments], cwd=ROOT
    )
    try:
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ATTACKS)
async def test_every_quote_reaches_who_behaves(nats: NatsServer, kind: str) -> None:
    past = tuple(fresh(key=key) for key in KEYS)
    async with gateway_process(nats, past=past) as gateway, gateway.connect() as reader:
        await subscribe(reader, KEY)
        before = await gateway.figure("process_cpu_seconds_total")
        with attacked(gateway, kind):

            async def is_felt() -> bool:
                return await gateway.figure("process_cpu_seconds_total") > before + 0.5

            await eventually(is_felt, what="an attack")
            for seq in range(1, QUOTES):
                await gateway.publish(fresh(key=KEY, seq=seq))
                told = await receive(reader, "quotes", timeout_secs=30)
                assert "snapshot" not in told
                assert [one["seq"] for one in told["data"]] == [seq]
        assert '"level": "error"' not in gateway.process.logged()
