"""The stack that all tests of this folder share, and a browser in front of it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext

from embedded.page.build import build
from embedded.stack import Stack
from tests.e2e.conftest import ready_stack
from tests.support.patience import PATIENCE_MS
from tests.support.trader_page import running_browser


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Each test has users of its own, and leaves all services running."""
    build()  # before the start: a gateway reads the page once
    with ready_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1_600, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def elsewhere(browser: Browser) -> AsyncIterator[BrowserContext]:
    """The browser of another device."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
def address(stack: Stack) -> str:
    return stack.plan.url("TRADEDAD_GATEWAY_PORT")
