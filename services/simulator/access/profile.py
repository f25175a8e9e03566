"""The profile of the simulated user."""

from typing import Any


def profile(user_id: str) -> dict[str, Any]:
    """The profile fields of Upstox's profile and token answers."""
    return {
        "email": "simulated@example.com",
        "exchanges": ["NSE", "NFO", "BSE", "BFO", "CDS", "BCD", "MCX"],
        "products": ["D", "CO", "I", "MTF"],
        "broker": "UPSTOX",
        "user_id": user_id,
        "user_name": "SIMULATED USER",
        "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
        "user_type": "individual",
        "poa": False,
        "is_active": True,
    }
