"""Signing keys are rotated under load, with two replicas of auth and the verifier of a gateway."""

import asyncio
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from services.auth.rotate_keys import rotate
from services.auth.settings import AuthSettings
from shared.runtime.clock import SystemClock
from shared.runtime.tasks import stop
from shared.web.key_set import KeySet
from shared.web.verifier import TokenVerifier
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth
from tests.support.patience import TEST_TIMEOUT_SECS

# As in production, a key is published for longer than verifiers keep their keys, and for longer
# than a busy machine takes to fetch them.
KEPT_SECS = 2.5
PUBLISH_SECS = 10.0


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    return settings.model_copy(update={"key_publish_secs": PUBLISH_SECS})


class Load:
    """Refreshes tokens, and has each checked by both replicas and by the verifier."""

    def __init__(self, auths: list[Auth], verifier: TokenVerifier) -> None:
        self._auths = auths
        self._verifier = verifier
        self.checked: list[str] = []
        """The key id of each token that all have accepted."""

    async def run(self, body: dict[str, Any]) -> None:
        refresh_token = body["refresh_token"]
        for number in range(10_000):
            auth = self._auths[number % 2]
            renewed = await auth.refresh(refresh_token)
            assert renewed.status == 200, renewed.text
            refresh_token, token = renewed.body["refresh_token"], renewed.body["access_token"]
            for replica in self._auths:
                me = await replica.me(token)
                assert me.status == 200, me.text
            await self._verifier.verify(token)
            self.checked.append(jwt.get_unverified_header(token)["kid"])


async def test_a_rotation_under_load_refuses_no_token(auth: Auth, settings: AuthSettings) -> None:
    await auth.signup(EMAIL, PASSWORD)
    async with running_auth(settings) as other, auth.running(), other.running():
        keys = KeySet(
            other.http, f"{other.url}/.well-known/jwks.json", SystemClock(), max_age_secs=KEPT_SECS
        )
        load = Load([auth, other], TokenVerifier(keys, settings.tokens, SystemClock()))
        logins = [(await auth.login(EMAIL, PASSWORD)).body for _ in range(4)]
        workers = [asyncio.create_task(load.run(body)) for body in logins]
        try:
            async with asyncio.timeout(TEST_TIMEOUT_SECS):
                await wait_until(lambda: len(load.checked) > 20, workers)
                keyring, _ = await asyncio.to_thread(
                    rotate, settings.keys_dir, SystemClock(), publish_secs=PUBLISH_SECS
                )
                old, new = (key.kid for key in keyring.keys)
                await wait_until(lambda: load.checked.count(new) > 50, workers)
        finally:
            await stop(workers)
        assert set(load.checked) == {old, new}
        published = (await other.get("/.well-known/jwks.json")).body["keys"]
        assert [jwk["kid"] for jwk in published] == [old, new]


async def wait_until(look: Callable[[], bool], workers: list["asyncio.Task[None]"]) -> None:
    while not look():
        await asyncio.sleep(0.01)
        for worker in workers:
            if worker.done():
                worker.result()
