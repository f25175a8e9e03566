"""Calls about a user's settings: the kill switch, and the static IP addresses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from services.simulator.account.account import TradingAccounts
from services.simulator.api.envelope import success
from services.simulator.api.request_context import HandlerAdapter, RequestContext
from services.simulator.market.state import SimulatedState
from services.simulator.orders.bodies import invalid_field
from shared.market.exchange_time import IST


class UserSettingsRoutes:
    """Read and write calls; the write calls raise ApiError."""

    def __init__(
        self,
        accounts: TradingAccounts,
        states: Mapping[str, SimulatedState],
        adapt: HandlerAdapter,
    ) -> None:
        self._accounts = accounts
        self._segments = sorted(
            {state.instrument.segment for state in states.values() if not state.instrument.is_index}
        )
        self._adapt = adapt
        self._ips: dict[str, dict[str, str | None]] = {}

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        adapt = self._adapt
        return [
            web.get("/v2/user/kill-switch", adapt(self.kill_switch)),
            web.post("/v2/user/kill-switch", adapt(self.update_kill_switch)),
            web.get("/v2/user/ip", adapt(self.ips)),
            web.put("/v2/user/ip", adapt(self.update_ips)),
        ]

    async def kill_switch(self, context: RequestContext) -> web.Response:
        """The kill switch of each segment."""
        return success(self._kill_switches(context))

    async def update_kill_switch(self, context: RequestContext) -> web.Response:
        """Turn the kill switch of one or more segments on or off."""
        body = await context.body()
        updates = body if isinstance(body, list) else [body]
        killed = self._accounts.killed_segments(context.user_id)
        for update in updates:
            segment, action = _segment_and_action(update)
            if segment not in self._segments:
                raise invalid_field("segment", segment)
            if action == "ENABLE":
                killed.add(segment)
            elif action == "DISABLE":
                killed.discard(segment)
            else:
                raise invalid_field("action", action)
        return success(self._kill_switches(context))

    async def ips(self, context: RequestContext) -> web.Response:
        """The two registered addresses."""
        return success(self._ips.get(context.user_id, _no_ips()))

    async def update_ips(self, context: RequestContext) -> web.Response:
        """Register other addresses.

        Unlike Upstox, the simulator does not invalidate tokens. The addresses have no effect:
        orders are restricted by the setting `order_ips`.
        """
        body = await context.body_object()
        ips = self._ips.setdefault(context.user_id, _no_ips())
        for name in ("primary_ip", "secondary_ip"):
            value = body.get(name)
            if value is not None and not isinstance(value, str):
                raise invalid_field(name, value)
            if value is not None and value != ips[name]:
                ips[name] = value
                now = datetime.fromtimestamp(context.at_ms / 1_000, IST)
                ips[f"{name}_updated_at"] = f"{now:%Y-%m-%dT%H:%M:%S}"
        return success(ips | {"access_tokens_invalidated": False})

    def _kill_switches(self, context: RequestContext) -> list[dict[str, Any]]:
        killed = self._accounts.killed_segments(context.user_id)
        return [
            {
                "segment": segment,
                "segment_status": "INACTIVE" if segment in killed else "ACTIVE",
                "kill_switch_enabled": segment in killed,
            }
            for segment in self._segments
        ]


def _segment_and_action(update: object) -> tuple[object, object]:
    if not isinstance(update, dict):
        raise invalid_field("segment", None)
    return update.get("segment"), update.get("action")


def _no_ips() -> dict[str, str | None]:
    return dict.fromkeys(
        ("primary_ip", "secondary_ip", "primary_ip_updated_at", "secondary_ip_updated_at")
    )
