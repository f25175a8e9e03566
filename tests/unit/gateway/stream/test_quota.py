"""A client may ask so much, and its user so much on all streams together."""

from services.gateway.settings import GatewaySettings
from services.gateway.stream.quota import ClientQuota, request_rates


def settings() -> GatewaySettings:
    return GatewaySettings.model_validate(
        {
            "nats_password": "x",
            "max_messages_per_sec": 5,
            "max_bad_messages": 2,
            "max_streams_per_user": 3,
            "max_keys_per_stream": 200,
        }
    )


def client() -> ClientQuota:
    return ClientQuota(settings(), request_rates(settings()), 0.0)


def test_messages_come_at_a_rate_and_four_times_as_many_at_once() -> None:
    one = client()
    assert [one.message(0.0) for _ in range(20)] == [None] * 20
    refusal = one.message(0.0)
    assert refusal is not None
    assert refusal.detail == "more than 5 messages a second"
    assert one.message(0.2) is None


def test_a_user_may_subscribe_to_everything_on_all_streams_at_once_and_not_again() -> None:
    rates = request_rates(settings())
    streams = [ClientQuota(settings(), rates, 0.0) for _ in range(3)]
    assert [one.request("user-1", 200, 0.0) for one in streams] == [None] * 3
    assert all(one.request("user-1", 0, 0.0) is None for one in streams for _ in range(4))
    assert all(one.request("user-1", 200, 0.0) is not None for one in streams)
    assert streams[0].request("user-2", 200, 0.0) is None


def test_who_asks_for_very_much_waits_the_longer() -> None:
    one = client()
    assert one.request("user-1", 5_000, 0.0) is None
    assert one.request("user-1", 1, 5.0) is not None
    assert one.request("user-1", 1, 7.0) is None


def test_what_is_wrong_is_forgiven_with_time() -> None:
    one = client()
    assert [one.forgives(0.0) for _ in range(3)] == [True, True, False]
    assert not one.forgives(9.0)
    assert one.forgives(10.0)
