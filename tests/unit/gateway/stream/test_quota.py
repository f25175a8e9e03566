"""The quotas of one client, and those of its user over all streams."""

from services.gateway.settings import GatewaySettings
from services.gateway.stream.quota import ClientQuota, request_rates
from shared.errors import Code


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


def new_quota() -> ClientQuota:
    return ClientQuota(settings(), request_rates(settings()), 0.0)


def test_a_client_may_send_four_seconds_of_messages_at_once() -> None:
    quota = new_quota()
    assert [quota.message(0.0) for _ in range(20)] == [None] * 20
    error = quota.message(0.0)
    assert error is not None
    assert (error.code, error.detail) == (Code.RATE_LIMITED, "more than 5 messages a second")
    assert quota.message(0.2) is None


def test_a_user_may_subscribe_to_all_keys_on_all_streams_once() -> None:
    rates = request_rates(settings())
    streams = [ClientQuota(settings(), rates, 0.0) for _ in range(3)]
    assert [quota.request("user-1", 200, 0.0) for quota in streams] == [None] * 3
    assert all(quota.request("user-1", 0, 0.0) is None for quota in streams for _ in range(4))
    refused = [quota.request("user-1", 200, 0.0) for quota in streams]
    assert [error and error.code for error in refused] == [Code.RATE_LIMITED] * 3
    assert streams[0].request("user-2", 200, 0.0) is None


def test_a_large_request_delays_the_next_one() -> None:
    quota = new_quota()
    assert quota.request("user-1", 5_000, 0.0) is None
    assert quota.request("user-1", 1, 5.0) is not None
    assert quota.request("user-1", 1, 7.0) is None


def test_refusals_are_tolerated_at_a_rate() -> None:
    quota = new_quota()
    assert [quota.tolerates_refusal(0.0) for _ in range(3)] == [True, True, False]
    assert not quota.tolerates_refusal(9.0)
    assert quota.tolerates_refusal(10.0)
