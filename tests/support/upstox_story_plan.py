"""Random stories of one user at Upstox: commands, faults, and what the user does elsewhere.

A story follows from its seed. It has no quantity twice, so that each order at the simulator can be
traced to the command that made it, whatever the command was answered.
"""

import random
from dataclasses import dataclass, field
from typing import Any, Final

PLACE: Final = "/v3/order/place"
MODIFY: Final = "/v3/order/modify"
CANCEL: Final = "/v3/order/cancel"
BOOKS: Final = "/v2/order/"
MIN_STEPS: Final = 6
MAX_STEPS: Final = 20
SHORT_DEADLINE_SECS: Final = 0.02
LONGEST_DELAY_SECS: Final = 3.0
"""No fault has an effect after this time."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How a command is sent."""

    copies: int = 1
    """They are sent at once."""
    deadline_secs: float | None = None
    """None: the command is repeated until it is answered. Else it is sent once, with this deadline."""
    killing_fault: dict[str, Any] | None = None
    """A delay at the simulator, during which the trading service is ended."""


@dataclass(frozen=True, slots=True)
class Place:
    """A new order; `price` None makes it a market order."""

    key: str
    side: str
    quantity: int
    price: int | None
    sending: Sending


@dataclass(frozen=True, slots=True)
class Change:
    """A modification or, without `offset` of its price, a cancellation of an order, by number."""

    key: str
    order: int
    offset: int | None
    sending: Sending


@dataclass(frozen=True, slots=True)
class Arm:
    """A fault of the simulator, for this user."""

    fault: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The user places an order with another program."""

    side: str
    quantity: int
    price: int | None


@dataclass(frozen=True, slots=True)
class Fill:
    """The market fills a share of a resting order, by number."""

    order: int
    share: float


@dataclass(frozen=True, slots=True)
class NewLogin:
    """The user's access token dies, and the user logs in again."""


Step = Place | Change | Arm | Elsewhere | Fill | NewLogin

_COMMANDS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "error", "status": 400, "error_code": "UDAPI100036"},
    {"kind": "error", "status": 403, "error_code": "UDAPI1154"},
    {"kind": "error", "status": 423, "error_code": "UDAPI100074"},
    {"kind": "error", "status": 429, "error_code": "UDAPI10005"},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 500, "is_executed": True},
    {"kind": "html", "status": 200},
    {"kind": "html", "status": 403},
    {"kind": "html", "status": 403, "is_executed": True},
    {"kind": "html", "status": 503, "is_executed": True},
    {"kind": "reset"},
    {"kind": "lost"},
    {"kind": "late", "delay_secs": 2.0},
    {"kind": "slow", "delay_secs": 2.0},
    {"kind": "slow", "delay_secs": 0.2},
    {"kind": "cut"},
    {"kind": "not_json"},
)
_READS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 429, "error_code": "UDAPI10005"},
    {"kind": "html", "status": 200},
    {"kind": "html", "status": 503},
    {"kind": "reset"},
    {"kind": "late", "delay_secs": 2.0},
    {"kind": "cut"},
    {"kind": "not_json"},
)
_ORDERS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "order_hidden", "delay_secs": 1.5},
    {"kind": "trades_hidden", "delay_secs": 1.5},
    {"kind": "early_complete", "delay_secs": 1.5},
    {"kind": "late_rejection", "delay_secs": 0.5},
    {"kind": "late_cancel", "delay_secs": 0.5},
    {"kind": "not_modified", "message": "not modified by the test"},
)
_STREAM: Final[tuple[str, ...]] = (
    "drop", "duplicate", "delay", "reorder", "garbage", "truncate", "stall", "half_open", "close",
    "abort",
)  # fmt: skip
_LOW, _HIGH = 1_330, 1_510
"""Far below and far above the simulated market of the share."""


def plan(seed: int) -> list[Step]:
    """The story of a seed."""
    chance = random.Random(seed)
    quantities = list(range(1, 60))
    chance.shuffle(quantities)
    steps: list[Step] = []
    while len(steps) < MIN_STEPS or (len(steps) < MAX_STEPS and chance.random() < 0.95):
        number = len(steps)
        kind = chance.choices(
            ("arm", "place", "change", "fill", "elsewhere", "login"),
            weights=(24, 28, 34, 9, 4, 1),
        )[0]
        match kind:
            case "arm":
                steps.append(Arm(_fault(chance)))
            case "place":
                side, price = _side_and_price(chance)
                quantity = quantities.pop()
                steps.append(Place(f"k{number}", side, quantity, price, _sending(chance)))
            case "change":
                offset = None if chance.random() < 0.4 else chance.randint(-8, 8)
                order = chance.randrange(100)
                steps.append(Change(f"k{number}", order, offset, _sending(chance)))
            case "fill":
                steps.append(Fill(chance.randrange(100), chance.choice((0.3, 0.6, 1.0))))
            case "login":
                steps.append(NewLogin())
            case _:
                side, price = _side_and_price(chance)
                steps.append(Elsewhere(side, quantities.pop(), price))
    return steps


def resting_price(side: str, offset: int = 0) -> int:
    """A price at which an order of this side rests."""
    return (_LOW if side == "BUY" else _HIGH) + offset


def _side_and_price(chance: random.Random) -> tuple[str, int | None]:
    side = chance.choice(("BUY", "SELL"))
    return side, None if chance.random() < 0.3 else resting_price(side, chance.randint(-8, 8))


def _sending(chance: random.Random) -> Sending:
    draw = chance.random()
    if draw < 0.12:
        return Sending(deadline_secs=chance.choice((SHORT_DEADLINE_SECS, 0.3)))
    if draw < 0.16:
        return Sending(killing_fault={"kind": chance.choice(("slow", "reset")), "delay_secs": 0.6})
    return Sending(chance.choices((1, 2, 5, 100), weights=(72, 16, 10, 2))[0])


def _fault(chance: random.Random) -> dict[str, Any]:
    kind = chance.choices(
        ("command", "read", "order", "stream", "doubled"), weights=(48, 14, 22, 15, 1)
    )[0]
    match kind:
        case "command":
            path = chance.choices((PLACE, MODIFY, CANCEL), weights=(60, 20, 20))[0]
            return chance.choice(_COMMANDS) | {"path": path}
        case "read":
            times = chance.randint(1, 3)
            return chance.choice(_READS) | {"path": BOOKS, "method": "GET", "times": times}
        case "order":
            return dict(chance.choice(_ORDERS))
        case "stream":
            fault = {"kind": chance.choice(_STREAM), "stream": "portfolio"}
            if fault["kind"] in ("delay", "half_open"):
                return fault | {"delay_secs": 1.0}
            return fault | {"after": chance.randint(0, 3)}
    return {"kind": "doubled", "path": PLACE}
