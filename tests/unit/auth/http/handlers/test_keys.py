import json

from aiohttp import hdrs
from aiohttp.test_utils import make_mocked_request

from services.auth.http.handlers.keys import KeyHandlers
from services.auth.signing.reloading_keyring import ReloadingKeyring


async def test_the_key_set_is_public_and_cacheable_for_five_minutes(
    keyring: ReloadingKeyring,
) -> None:
    response = await KeyHandlers(keyring).jwks(make_mocked_request("GET", "/"))
    assert response.text is not None
    assert json.loads(response.text) == keyring.jwks()
    assert response.headers[hdrs.CACHE_CONTROL] == "public, max-age=300"
