"""The database role of deploy/mongo suffices for auth, and does not allow to change its audit log."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from embedded import daemons
from embedded.ports import HOST, free_ports
from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, running_auth
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import child_process
from tests.support.servers import Daemon, data_folder, mongod_program
from tests.support.settings import mongo_settings

ROLE = Path(daemons.ROOT) / "deploy" / "mongo" / "auth-role.json"


@pytest.fixture
def guarded_url() -> Iterator[str]:
    """The address of a mongod with access control, for a user with the role of auth."""
    (port,) = free_ports(1)
    with data_folder("tradedad-mongo-") as folder:
        key = folder / "key"
        key.write_text(secrets.token_hex(32))
        key.chmod(0o600)
        command = daemons.mongod_command(mongod_program(), port=port, folder=folder / "db")
        server = Daemon([*command, "--keyFile", str(key)], port, {})
        with child_process(server):
            daemons.make_replica_set(port, timeout_secs=PATIENCE_SECS)
            # While there is no user, any client on this machine may create the first one.
            with MongoClient[dict[str, Any]](HOST, port, directConnection=True) as client:
                client.admin.command("createUser", "root", pwd="root", roles=["root"])
            url = f"mongodb://root:root@{HOST}:{port}/?replicaSet={daemons.REPLICA_SET}"
            with MongoClient[dict[str, Any]](url) as client:
                database = client.get_database("tradedad")
                database.command(json.loads(ROLE.read_text()))
                database.command("createUser", "auth", pwd="auth", roles=["tradedadAuth"])
            yield url.replace("root:root@", "auth:auth@") + "&authSource=tradedad"


async def test_auth_works_with_the_role_and_cannot_change_its_audit_log(
    settings: AuthSettings, guarded_url: str
) -> None:
    mongo = mongo_settings(guarded_url, "tradedad")
    guarded = settings.model_copy(update={"mongo": mongo})
    async with running_auth(guarded) as auth:
        assert (await auth.signup(EMAIL, PASSWORD)).status == 201
        body = (await auth.login(EMAIL, PASSWORD)).body
        refreshed = (await auth.refresh(body["refresh_token"])).body
        change = {"current_password": PASSWORD, "new_password": "another long password"}
        token = refreshed["access_token"]
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
