"""Reloads the signing keys from disk, so that a key rotation needs no restart."""

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


class ReloadingKeyring:
    """A component that reads the directory of keys again every `reload_secs`.

    It is also the `KeySource` of auth's own token verifier, which therefore needs no HTTP
    request for the public keys.
    """

    def __init__(
        self, keyring: Keyring, directory: Path, clock: Clock, *, reload_secs: float
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._reload_secs = reload_secs
        self._replace(keyring)
        self._report_age()

    def signing(self) -> Key:
        """Return the key to sign with now."""
        return self._keyring.signing(self._clock.now_ms())

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the JSON Web Key Set to publish now (RFC 7517)."""
        return self._keyring.jwks(self._clock.now_ms())

    async def find(self, kid: str) -> PyJWK:
        """Return the published key `kid`. Raises Unauthenticated if there is none."""
        now_ms = self._clock.now_ms()
        for key in self._keyring.published(now_ms):
            if key.kid == kid:
                return self._public[kid]
        raise Unauthenticated("the token is signed with an unknown key")

    async def run(self) -> None:
        """Reload the keys until cancelled."""
        while True:
            await self._clock.sleep(self._reload_secs)
            await self.reload()

    async def reload(self) -> None:
        """Read the directory now; if it cannot be read, the current keys stay in use."""
        await self._read_again()
        self._report_age()  # also of a key that has begun to sign since the last time

    async def _read_again(self) -> None:
        try:
            keyring = await asyncio.to_thread(
                load_keyring,
                self._directory,
                self._clock,
                publish_secs=self._keyring.publish_secs,
            )
        except ConfigError as error:
            metrics.KEY_RELOAD_FAILURES.inc()
            log.warning("key reload failed, current keys stay in use", problems=error.problems)
            return
        if [key.kid for key in keyring.keys] != [key.kid for key in self._keyring.keys]:
            log.info("signing keys changed", kids=[key.kid for key in keyring.keys])
            self._replace(keyring)

    def _report_age(self) -> None:
        metrics.SIGNING_KEY_CREATED.set(self.signing().created_at_ms / 1_000)

    def _replace(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._public: Mapping[str, PyJWK] = {
            jwk["kid"]: PyJWK.from_dict(jwk) for jwk in keyring.jwks(0)["keys"]
        }
