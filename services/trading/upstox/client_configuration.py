"""Clients of the official SDK, one for each access token."""

from typing import Any

import upstox_client

from services.trading.settings import TradingSettings
from services.trading.upstox.single_attempt import SingleAttempt


def new_client(settings: TradingSettings, access_token: str) -> Any:
    """An `ApiClient` whose requests are sent once. It blocks for some milliseconds: use a thread.

    Connections are not shared with other users: a response can never reach another user's request.
    """
    configuration = _configuration(settings)
    configuration.access_token = access_token
    client = upstox_client.ApiClient(configuration)
    # This pool serves the SDK's asynchronous calls, which are not used. Left running, it blocks
    # the thread in which it is garbage-collected.
    client.pool.terminate()
    client.pool.join()
    rest = client.rest_client
    rest.pool_manager = SingleAttempt(rest.pool_manager, settings.upstox.timeout_secs)
    return client


def _configuration(settings: TradingSettings) -> Any:
    # Called like any class, Configuration returns copies of its first instance, with the hosts of
    # that one: a sandbox could be live.
    configuration = type.__call__(upstox_client.Configuration, sandbox=settings.upstox_sandbox)
    for logger in configuration.logger.values():
        logger.handlers.clear()  # the SDK's handlers bypass our log format
    if not settings.upstox_sandbox:
        configuration.host = settings.upstox.api_url
        configuration.order_host = settings.order_url
    configuration.proxy = settings.upstox.proxy
    configuration.verify_ssl = True
    configuration.connection_pool_maxsize = settings.upstox_threads
    return configuration
