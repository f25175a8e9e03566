"""The sinks of a topic."""

from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.topic import Topic
from services.gateway.stream.json_framing import JsonFraming


def queue() -> ChannelQueue:
    return ChannelQueue(Channel.QUOTES, JsonFraming())


def test_the_pending_lists_follow_the_sinks() -> None:
    topic, first, second = Topic("NSE_EQ|A"), queue(), queue()
    assert topic.pendings == []
    topic.join(first)
    topic.join(second)
    topic.join(second)
    assert {id(pending) for pending in topic.pendings} == {id(first.pending), id(second.pending)}
    topic.leave(first)
    assert [id(pending) for pending in topic.pendings] == [id(second.pending)]


def test_leaving_without_having_joined_does_nothing() -> None:
    topic = Topic("NSE_EQ|A")
    topic.leave(queue())
    assert topic.sinks == set()
