"""Guesses at passwords flood the auth service through a gateway while quotes flow."""

import asyncio
import statistics
from collections import Counter
from typing import Final

from embedded.ports import HOST, free_ports
from services.auth.settings import AuthSettings
from tests.support.auth_service import PEPPER, key, settings
from tests.support.builders import KEY, fresh_quote
from tests.support.figures import Figures
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.quote_delays import LAST_PRICE, read_delays
from tests.support.gateway.websocket import subscribe
from tests.support.processes import service_process
from tests.support.servers import NatsServer
from tests.support.settings import process_environment

__all__ = ["key", "settings"]

ATTACKERS: Final = 100
ATTEMPTS: Final = 3


def auth_environment(settings: AuthSettings, port: int) -> dict[str, str]:
    return process_environment() | {
        "TRADEDAD_AUTH_PORT": str(port),
        "TRADEDAD_AUTH_KEYS_DIR": str(settings.keys_dir),
        "TRADEDAD_AUTH_PEPPER": PEPPER,
        "TRADEDAD_AUTH_BCRYPT_COST": "10",
        "TRADEDAD_AUTH_FREE_ADDRESS_ATTEMPTS": "10000",
        "TRADEDAD_AUTH_NATS_PASSWORD": "none",
        "TRADEDAD_NATS_URL": "nats://127.0.0.1:1",
        "TRADEDAD_MONGO_URL": settings.mongo.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": settings.mongo.database,
    }


async def guess(gateway: GatewayProcess, user: int, statuses: Counter[int]) -> None:
    for number in range(ATTEMPTS):
        body = {"email": f"user-{user}@example.com", "password": f"a wrong password {number}"}
        async with gateway.http.post(f"{gateway.url}/auth/login", json=body) as response:
            statuses[response.status] += 1
            await response.read()


async def publish_until(flood: "asyncio.Future[list[None]]", gateway: GatewayProcess) -> int:
    seq = 0
    while not flood.done():
        seq += 1
        await gateway.publish(fresh_quote(seq=seq))
        await asyncio.sleep(0.01)
    await gateway.publish(fresh_quote(seq=seq + 1, ltp=LAST_PRICE))
    return seq + 1


async def test_quotes_flow_while_logins_flood_the_auth_service(
    nats: NatsServer, settings: AuthSettings, figures: Figures
) -> None:
    (port,) = free_ports(1)
    statuses: Counter[int] = Counter()
    async with (
        service_process("auth", auth_environment(settings, port)),
        gateway_process(nats, AUTH_URL=f"http://{HOST}:{port}") as gateway,
        gateway.connect() as socket,
    ):
        await subscribe(socket, KEY)
        reading = asyncio.create_task(read_delays(socket))
        flood = asyncio.gather(*(guess(gateway, user, statuses) for user in range(ATTACKERS)))
        last_seq = await publish_until(flood, gateway)
        await flood
        seqs, delays = await reading
    assert seqs == sorted(seqs)
    assert seqs[-1] == last_seq
    # On a machine with other work, auth may not answer in time: 504.
    assert set(statuses) <= {401, 429, 503, 504}
    assert statuses[401], "no attempt was hashed"
    figures.note("quote_delay_p99_secs", statistics.quantiles(delays, n=100)[98])
