"""Fixtures of all tests: real servers, and a guard against blocking the event loop."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

# Loaded now because pytest would load it within the report of a failed test, where
# CPython 3.11 at times cannot parse it ("AST constructor recursion depth mismatch").
import hypothesis.internal.conjecture.providers
import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from xdist.scheduler import LoadScopeScheduling

from embedded.ports import set_port_range
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings
from tests.support.servers import MongoServer, NatsServer, run_mongo, run_nats

# The same examples in every run, however slow or busy the machine: what passed here passes
# there. To look for more, run with HYPOTHESIS_PROFILE=search.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("search", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Tests run in several processes: each has ports of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
set_port_range(range(20_000 + 1_000 * _WORKER, 21_000 + 1_000 * _WORKER))

# Tests set what they need. Only where the programs are is the machine's to say.
for _name in [name for name in os.environ if name.startswith("TRADEDAD_")]:
    if _name not in ("TRADEDAD_STACK_NATS_SERVER", "TRADEDAD_STACK_MONGOD"):
        del os.environ[_name]


class OneStackAtATime(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of whole stacks go to one process, one after another: each is a machine full."""

    def _split_scope(self, nodeid: str) -> str:
        return "stacks" if nodeid.startswith("tests/e2e/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneStackAtATime:
    """Used when tests run in several processes."""
    return OneStackAtATime(config, log)


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop() -> Iterator[BlockBuster]:
    """A call of ours that blocks the event loop fails the test that makes it."""
    with blockbuster_ctx(["services", "shared"]) as guard:
        # Each of these looks at one small file, once, while a process starts.
        guard.functions["os.stat"].can_block_in("pymongo/pool_options.py", "get_container_env_info")
        yield guard


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A nats-server of this test's own."""
    with run_nats() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[MongoServer]:
    """One mongod for all tests that do not break it."""
    with run_mongo() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_url(mongo_server: MongoServer) -> str:
    """Address of the shared mongod; use a database of your own."""
    return mongo_server.url


@pytest.fixture
def mongo_settings(mongo_url: str) -> MongoSettings:
    """The shared mongod, with a database of this test's own."""
    return MongoSettings.model_validate(
        {"url": mongo_url, "database": f"test_{uuid.uuid4().hex[:12]}"}
    )


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    """A connection to a database of this test's own, which goes afterwards."""
    async with connect_mongo(mongo_settings, Readiness("test")) as connected:
        yield connected
        await connected.client.drop_database(mongo_settings.database)
