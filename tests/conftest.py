"""Fixtures of all tests: real servers, and a guard against blocking the event loop."""

import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Final

# Imported here because pytest would import it while it reports a failed test, where CPython 3.11
# sometimes cannot parse it ("AST constructor recursion depth mismatch").
import hypothesis.internal.conjecture.providers
import pytest

# A failed assertion of these modules shows its values, like one of a test.
pytest.register_assert_rewrite("tests.support")

from blockbuster import BlockBuster, blockbuster_ctx
from xdist.scheduler import LoadScopeScheduling

from embedded.ports import set_port_range
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings
from tests.support import figures as measured
from tests.support import settings
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.servers import MongoServer, NatsServer, run_mongo, run_nats

# The same examples in every run, and no bound on the time of one, however busy the machine. To
# look for more, run with HYPOTHESIS_PROFILE=search.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("search", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Read by pytest-timeout when it is configured, which is later.
os.environ.setdefault("PYTEST_TIMEOUT", f"{TEST_TIMEOUT_SECS:g}")

# A shell starts background jobs with SIGINT ignored, and the programs of tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests run in several processes, each with ports of its own.
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
set_port_range(range(20_000 + 1_000 * _WORKER, 21_000 + 1_000 * _WORKER))

# Tests set the variables that they need. Only the paths of programs come from outside.
_INHERITED: Final = ("TRADEDAD_STACK_NATS_SERVER", "TRADEDAD_STACK_MONGOD")
for _name in [name for name in os.environ if name.startswith("TRADEDAD_")]:
    if _name not in _INHERITED:
        del os.environ[_name]


class FewStacksAtOnce(LoadScopeScheduling):  # type: ignore[misc]
    """Distributes single tests, but gives all tests of whole stacks to two processes: those that
    share a stack, and all others. Two stacks at a time are as much as a small machine can run.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/e2e/one_stack/"):
            return "one stack"
        return "stacks" if nodeid.startswith("tests/e2e/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FewStacksAtOnce:
    """Called when tests run in several processes."""
    return FewStacksAtOnce(config, log)


figures = measured.figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows the figures that tests measured."""
    reports = [r for r in terminalreporter.stats.get("passed", []) if r.when == "call"]
    if lines := measured.lines(reports):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop() -> Iterator[BlockBuster]:
    """A call of services or of shared that blocks the event loop fails the test."""
    with blockbuster_ctx(["services", "shared"]) as guard:
        # Looks at one small file, once, while a process starts.
        guard.functions["os.stat"].can_block_in("pymongo/pool_options.py", "get_container_env_info")
        # Reads source lines of a traceback: without it, the defect that it shows would be hidden.
        for function in guard.functions.values():
            function.can_block_in("linecache.py", {"checkcache", "updatecache"})
        yield guard


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A nats-server of this test's own."""
    with run_nats() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[MongoServer]:
    """One mongod for all tests that do not break it. Its databases are not dropped: its folder is
    deleted at the end.
    """
    with run_mongo() as server:
        yield server


@pytest.fixture
def own_mongod() -> Iterator[MongoServer]:
    """A mongod of this test's own, which the test may break."""
    with run_mongo() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_url(mongo_server: MongoServer) -> str:
    """The address of the shared mongod. Each test uses a database of its own."""
    return mongo_server.url


@pytest.fixture
def mongo_settings(mongo_url: str) -> MongoSettings:
    """The shared mongod, with a database of this test's own."""
    return settings.mongo_settings(mongo_url, f"test_{uuid.uuid4().hex[:12]}")


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    """A connection to the database of this test."""
    async with connect_mongo(mongo_settings, Readiness("test")) as connected:
        yield connected
