"""Keeps the signing keys as they are on disk, so that a rotation needs no restart."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from jwt import PyJWK

from services.auth import metrics
from services.auth.signing.keyring import Key, Keyring, load_keyring
from shared.errors import ConfigError, Unauthenticated
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)


class KeyWatcher:
    """A part that reads the folder again every `reload_secs`.

    As a `KeySource` of the shared verifier it knows our own keys: auth need not ask itself
    over HTTP.
    """

    def __init__(
        self, keyring: Keyring, directory: Path, clock: Clock, *, reload_secs: float
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._reload_secs = reload_secs
        self._take(keyring)

    def signing(self) -> Key:
        """The key to sign with now."""
        return self._keyring.signing(self._clock.now_ms())

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The keys to publish now."""
        return self._keyring.jwks(self._clock.now_ms())

    async def find(self, kid: str) -> PyJWK:
        """Raises Unauthenticated if none of the published keys is named `kid`."""
        now_ms = self._clock.now_ms()
        for key in self._keyring.published(now_ms):
            if key.kid == kid:
                return self._public[kid]
        raise Unauthenticated("the token is signed with an unknown key")

    async def run(self) -> None:
        """Reads until cancelled; a folder that cannot be read changes nothing."""
        while True:
            await self._clock.sleep(self._reload_secs)
            await self.reload()

    async def reload(self) -> None:
        """Read the folder now."""
        try:
            keyring = await asyncio.to_thread(
                load_keyring,
                self._directory,
                self._clock,
                publish_secs=self._keyring.publish_secs,
            )
        except ConfigError as error:
            metrics.KEY_RELOADS_FAILED.inc()
            log.warning("cannot read the keys; those we have stay", problems=error.problems)
            return
        if [key.kid for key in keyring.keys] != [key.kid for key in self._keyring.keys]:
            log.info("signing keys changed", kids=[key.kid for key in keyring.keys])
            self._take(keyring)

    def _take(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._public: Mapping[str, PyJWK] = {
            jwk["kid"]: PyJWK.from_dict(jwk) for jwk in keyring.jwks(0)["keys"]
        }
