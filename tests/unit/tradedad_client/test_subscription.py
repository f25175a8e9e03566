"""A subscription is shown by its channel and the names that the program gave."""

from tradedad_client.buffers import ConflatingBuffer
from tradedad_client.messages import Channel
from tradedad_client.subscription import Subscription
from tradedad_client.subscription_state import SubscriptionState


def shown(channel: Channel, *names: str) -> str:
    state = SubscriptionState(channel, names, ConflatingBuffer(10, id))
    if names:
        state.set_names({name: f"NSE_EQ|{name}" for name in names})
    subscription: Subscription[object] = Subscription(state, lambda _: None)
    return repr(subscription)


async def test_it_is_shown_by_its_names() -> None:
    assert shown(Channel.QUOTES, "RELIANCE", "TCS") == "<quotes of RELIANCE, TCS>"
    assert shown(Channel.STATUS) == "<status>"
    assert shown(Channel.BARS, *"abcdef") == "<bars of a, b, c, d, e, ...>"
