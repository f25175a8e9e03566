"""The calls about a user's kill switch beside the addresses orders may come from."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from services.simulator.account.account import Accounts
from services.simulator.envelope import success
from services.simulator.market.state import InstrumentState
from services.simulator.orders.bodies import wrong
from services.simulator.orders.door import Call, Door
from shared.market.exchange_time import IST


class UserRoutes:
    """What a user has set."""

    def __init__(
        self,
        accounts: Accounts,
        states: Mapping[str, InstrumentState],
        door: Door,
    ) -> None:
        self._accounts = accounts
        self._segments = sorted(
            {state.instrument.segment for state in states.values() if not state.instrument.is_index}
        )
        self._door = door
        self._ips: dict[str, dict[str, str | None]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Both, to read and to write."""
        door = self._door
        return [
            web.get("/v2/user/kill-switch", door(self.kill_switch)),
            web.post("/v2/user/kill-switch", door(self.update_kill_switch)),
            web.get("/v2/user/ip", door(self.ips)),
            web.put("/v2/user/ip", door(self.update_ips)),
        ]

    async def kill_switch(self, call: Call) -> web.Response:
        """Of each segment."""
        return success(self._switches(call))

    async def update_kill_switch(self, call: Call) -> web.Response:
        """Turn it on or off, for one segment or several."""
        body = await call.body()
        updates = body if isinstance(body, list) else [body]
        killed = self._accounts.killed(call.user_id)
        for update in updates:
            segment, action = _update(update)
            if segment not in self._segments:
                raise wrong("segment", segment)
            if action == "ENABLE":
                killed.add(segment)
            elif action == "DISABLE":
                killed.discard(segment)
            else:
                raise wrong("action", action)
        return success(self._switches(call))

    async def ips(self, call: Call) -> web.Response:
        """The two registered addresses."""
        return success(self._ips.get(call.user_id, _no_ips()))

    async def update_ips(self, call: Call) -> web.Response:
        """Register others. The simulator keeps tokens alive, and heeds only its settings."""
        body = await call.body_object()
        ips = self._ips.setdefault(call.user_id, _no_ips())
        for name in ("primary_ip", "secondary_ip"):
            value = body.get(name)
            if value is not None and not isinstance(value, str):
                raise wrong(name, value)
            if value is not None and value != ips[name]:
                ips[name] = value
                now = datetime.fromtimestamp(call.at_ms / 1_000, IST)
                ips[f"{name}_updated_at"] = f"{now:%Y-%m-%dT%H:%M:%S}"
        return success(ips | {"access_tokens_invalidated": False})

    def _switches(self, call: Call) -> list[dict[str, Any]]:
        killed = self._accounts.killed(call.user_id)
        return [
            {
                "segment": segment,
                "segment_status": "INACTIVE" if segment in killed else "ACTIVE",
                "kill_switch_enabled": segment in killed,
            }
            for segment in self._segments
        ]


def _update(update: object) -> tuple[object, object]:
    if not isinstance(update, dict):
        raise wrong("segment", None)
    return update.get("segment"), update.get("action")


def _no_ips() -> dict[str, str | None]:
    return dict.fromkeys(
        ("primary_ip", "secondary_ip", "primary_ip_updated_at", "secondary_ip_updated_at")
    )
