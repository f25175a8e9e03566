"""The database role of deploy/mongo: enough for auth to work, too little to rewrite its log."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from embedded import binaries, daemons
from embedded.ports import HOST, free_ports
from services.auth.settings import AuthSettings
from shared.runtime.settings import MongoSettings
from tests.support.auth_service import EMAIL, PASSWORD, running_auth
from tests.support.servers import Daemon

ROLE = Path(daemons.ROOT) / "deploy" / "mongo" / "auth-role.json"


@pytest.fixture
def guarded_url() -> Iterator[str]:
    """A mongod that asks who one is, and the address for whoever has auth's role."""
    folder = Path(tempfile.mkdtemp(prefix="tradedad-mongo-"))
    key = folder / "key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    (port,) = free_ports(1)
    command = daemons.mongod_command(binaries.mongod(None), port=port, folder=folder / "db")
    server = Daemon([*command, "--keyFile", str(key)], port, {})
    try:
        server.start()
        daemons.make_replica_set(port)
        # Until there is a user, whoever comes from this machine may make the first one.
        with MongoClient[dict[str, Any]](HOST, port, directConnection=True) as client:
            client.admin.command("createUser", "root", pwd="root", roles=["root"])
        url = f"mongodb://root:root@{HOST}:{port}/?replicaSet={daemons.REPLICA_SET}"
        with MongoClient[dict[str, Any]](url) as client:
            database = client.get_database("tradedad")
            database.command(json.loads(ROLE.read_text()))
            database.command("createUser", "auth", pwd="auth", roles=["tradedadAuth"])
        yield url.replace("root:root@", "auth:auth@") + "&authSource=tradedad"
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


async def test_auth_works_with_the_role_and_cannot_rewrite_its_log(
    settings: AuthSettings, guarded_url: str
) -> None:
    mongo = MongoSettings(url=SecretStr(guarded_url), database="tradedad")
    guarded = settings.model_copy(update={"mongo": mongo})
    async with running_auth(guarded) as auth:
        assert (await auth.signup(EMAIL, PASSWORD)).status == 201
        body = (await auth.login(EMAIL, PASSWORD)).body
        renewed = (await auth.refresh(body["refresh_token"])).body
        change = {"current_password": PASSWORD, "new_password": "another long password"}
        token = renewed["access_token"]
        assert (await auth.post("/auth/password", change, token)).status == 200
        assert (await auth.post("/auth/logout-all", token=token)).status == 200
        assert await auth.events() == ["signup", "login", "password_changed", "logout_all"]
        log = auth.mongo.db["audit"]
        for attempt in (
            log.update_many({}, {"$set": {"event": "login"}}),
            log.delete_many({}),
            log.drop(),
            auth.mongo.client.drop_database("tradedad"),
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                await attempt
        assert len(await auth.events()) == 4
    async with running_auth(guarded) as again:
        assert (await again.login(EMAIL, "another long password")).status == 200
