"""Our own public keys, for the shared verifier: auth need not ask itself over HTTP."""

from jwt import PyJWK

from services.auth.keyring import Keyring
from shared.errors import Unauthenticated


class OwnKeys:
    """A `KeySource` that is complete from the start."""

    def __init__(self, keyring: Keyring) -> None:
        self._by_kid = {key["kid"]: PyJWK.from_dict(key) for key in keyring.jwks()["keys"]}

    async def find(self, kid: str) -> PyJWK:
        """Raises Unauthenticated if we have no key named `kid`."""
        try:
            return self._by_kid[kid]
        except KeyError:
            raise Unauthenticated("the token is signed with an unknown key") from None
