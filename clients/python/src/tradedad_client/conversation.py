"""What a program wants of the gateway and what the gateway has said, over any number of streams.

Pure: it is told when a stream opens, what comes, and when it is lost; `requests` is what has
to be sent. All that is subscribed to is asked for again on each new stream.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from tradedad_client import wire
from tradedad_client.errors import SubscriptionRefused, TooSlow
from tradedad_client.mailbox import Latest, Mailbox
from tradedad_client.messages import (
    EVERYTHING,
    Bar,
    Channel,
    Connected,
    Depth,
    Event,
    Gap,
    OrderEvent,
    OutcomesChanged,
    Quote,
    Renewed,
)

_MOST_EVENTS: Final = 1_000
_NOT_MADE_UP_FOR: Final = (Channel.BARS, Channel.ORDERS)
"""Channels of which a snapshot does not tell what was missed."""


def _nobody() -> None:
    """Nobody waits yet."""


class Route:
    """One subscription: what it asks for, and where its messages go."""

    def __init__(
        self,
        channel: Channel,
        keys: Sequence[str],
        mailbox: Mailbox[Any],
        interval_ms: int | None = None,
    ) -> None:
        self.channel = channel
        self.keys: tuple[str, ...] = tuple(dict.fromkeys(keys))
        self.mailbox = mailbox
        self.interval_ms = interval_ms
        self.outcomes: dict[str, str] = {}
        self.waits_for: set[int] = set()
        """Numbers of the requests that have not been answered on this stream."""
        self.is_asked = False
        """Whether it was asked for on this stream."""
        self.is_over = False
        self.failure: Exception | None = None
        """Why it is over; None if that was wanted."""
        self.wake: Callable[[], None] = _nobody
        """Called when there is something new."""

    @property
    def is_answered(self) -> bool:
        """Whether the gateway has said on this stream what became of each key."""
        return self.is_asked and not self.waits_for

    def put(self, item: Any) -> bool:
        """Keep a message for the program; False if it did not take the ones before."""
        is_kept = self.mailbox.put(item)
        self.wake()
        return is_kept

    def end(self, failure: Exception | None = None) -> None:
        """Nothing more comes."""
        if not self.is_over:
            self.is_over = True
            self.failure = failure
            self.wake()


class Conversation:
    """All subscriptions of a program, and where they stand."""

    def __init__(self) -> None:
        self.requests: deque[bytes] = deque()
        """To be sent, in this order."""
        self.wake: Callable[[], None] = _nobody
        """Called when there is something to send."""
        self.is_live = False
        """Whether a stream is open and the token was accepted."""
        self.wants_token = False
        """Whether the gateway has asked for a newer token."""
        self.expires_at: int | None = None
        """When the token expires, Unix seconds."""
        self.problem: wire.Problem | None = None
        """What the gateway has said last to be wrong; the reason, if it closes now."""
        self.was_live = False
        """Whether a stream ever was."""
        self._number = 0
        self._asked: dict[int, Route] = {}
        self._routes: dict[Route, None] = {}
        self._by_key: dict[tuple[Channel, str], list[Route]] = {}
        self._listeners: list[Route] = []

    def add(self, route: Route) -> None:
        """Ask for it, now or as soon as a stream is open."""
        self._routes[route] = None
        for key in route.keys or (route.channel,):
            self._by_key.setdefault((route.channel, key), []).append(route)
        if self.is_live:
            self._ask(route)

    def remove(self, route: Route, failure: Exception | None = None) -> None:
        """Give it back; keys that another subscription asks for as well stay."""
        if route in self._routes:
            pace_before = self._interval_ms(route.channel)
            del self._routes[route]
            self._forget(route, pace_before)
        route.end(failure)

    def listen(self) -> Route:
        """A route of what happens to the stream itself, of which nothing is asked for."""
        route = Route(Channel.STATUS, (), Latest[Event](_MOST_EVENTS))
        self._listeners.append(route)
        return route

    def unlisten(self, route: Route) -> None:
        """It is over."""
        if route in self._listeners:
            self._listeners.remove(route)
        route.end()

    def end(self, failure: Exception | None) -> None:
        """Everything is over."""
        self.lost()
        for route in (*self._routes, *self._listeners):
            route.end(failure)
        self._routes.clear()
        self._by_key.clear()
        self._listeners.clear()

    def begin(self, token: str) -> None:
        """A stream was opened."""
        self.lost()
        self.problem = None
        self.authenticate(token)

    def authenticate(self, token: str) -> None:
        """Show this token, the first one or a newer one."""
        self.wants_token = False
        self._send(wire.authenticate(token))

    def lost(self) -> None:
        """The stream has ended: what was not answered will be asked for again."""
        self.is_live = self.wants_token = False
        self.requests.clear()
        self._asked.clear()
        for route in self._routes:
            route.waits_for.clear()
            route.is_asked = False

    def take(self, data: str | bytes) -> None:
        """Something came. Raises NotUnderstood if it is not of this protocol."""
        match wire.decode(data):
            case wire.Authenticated() as message:
                self._enter(message)
            case wire.Expiring():
                self.wants_token = True
            case wire.Ack(id=number, results=results):
                self._answered(number, results)
            case wire.Outcomes(channel=channel, results=results):
                self._tell_outcomes(channel, results)
            case wire.GapTold(channel=channel):
                self._tell_gap(channel)
            case wire.Problem() as problem:
                self._take_problem(problem)
            case wire.Quotes(data=batch) | wire.Depths(data=batch) | wire.Bars(data=batch):
                self._deliver(batch)
            case wire.Statuses(data=statuses):
                self._deliver_whole(Channel.STATUS, statuses)
            case wire.Orders(data=orders):
                self._deliver_whole(Channel.ORDERS, map(OrderEvent, orders))

    def tell(self, event: Event) -> None:
        """Something happened to the stream."""
        for listener in self._listeners:
            listener.put(event)

    def _enter(self, message: wire.Authenticated) -> None:
        self.expires_at = message.expires_at
        if self.is_live:
            self.tell(Renewed(message.expires_at))
            return
        self.is_live = True
        self.tell(Connected(message.user_id))
        if self.was_live:
            for channel in _NOT_MADE_UP_FOR:
                self._tell_gap(channel)
        self.was_live = True
        for route in self._routes:
            self._ask(route)

    def _ask(self, route: Route) -> None:
        interval_ms = self._interval_ms(route.channel)
        route.is_asked = True
        for keys in wire.portions(route.keys):
            number = self._next_number(route)
            self._send(wire.subscribe(number, route.channel, keys, interval_ms))

    def _next_number(self, route: Route | None) -> int:
        self._number += 1
        if route is not None:
            self._asked[self._number] = route
            route.waits_for.add(self._number)
        return self._number

    def _send(self, request: bytes) -> None:
        self.requests.append(request)
        self.wake()

    def _interval_ms(self, channel: Channel) -> int | None:
        """One for all of a channel: the shortest that anybody wants, None being the shortest."""
        wanted = [route.interval_ms for route in self._routes if route.channel is channel]
        return None if None in wanted else min(filter(None, wanted), default=None)

    def _forget(self, route: Route, pace_before: int | None) -> None:
        channel = route.channel
        given_back = []
        for key in route.keys or (channel,):
            routes = self._by_key[channel, key]
            routes.remove(route)
            if not routes:
                del self._by_key[channel, key]
                given_back.append(key)
        for number in route.waits_for:
            del self._asked[number]
        route.waits_for.clear()
        if not self.is_live or not route.is_asked:
            return
        if given_back:
            for keys in wire.portions(given_back if route.keys else ()):
                self._send(wire.unsubscribe(self._next_number(None), channel, keys))
        pace = self._interval_ms(channel)
        other = next((other for other in self._routes if other.channel is channel), None)
        if other is not None and pace != pace_before:
            # The last subscribe says how often; one key that is held anyway is enough.
            request = wire.subscribe(self._next_number(None), channel, other.keys[:1], pace)
            self._send(request)

    def _answered(self, number: int, results: dict[str, str]) -> None:
        route = self._asked.pop(number, None)
        if route is None:
            return  # of an unsubscribe, or of a subscription that has gone since
        route.waits_for.discard(number)
        self._note_outcomes(route, results)
        route.wake()
        self.tell(OutcomesChanged(route.channel, results))

    def _note_outcomes(self, route: Route, results: dict[str, str]) -> None:
        route.outcomes |= {key: results[key] for key in results.keys() & {*route.keys}}

    def _tell_outcomes(self, channel: Channel, results: dict[str, str]) -> None:
        for route in self._routes:
            if route.channel is channel:
                self._note_outcomes(route, results)
        self.tell(OutcomesChanged(channel, results))

    def _tell_gap(self, channel: Channel) -> None:
        gap = Gap(channel)
        self.tell(gap)
        for route in [route for route in self._routes if route.channel is channel]:
            self._hand_over(route, gap)

    def _take_problem(self, problem: wire.Problem) -> None:
        self.problem = problem
        route = self._asked.pop(problem.id, None) if problem.id is not None else None
        if route is not None:
            route.waits_for.discard(problem.id or 0)
            failure = SubscriptionRefused(problem.detail, code=problem.code, field=problem.field)
            self.remove(route, failure)

    def _deliver(self, batch: Iterable[Quote] | Iterable[Depth] | Iterable[Bar]) -> None:
        for message in batch:
            channel = _CHANNELS[type(message)]
            segment, _, _ = message.key.partition("|")
            for key in (message.key, f"{segment}|{EVERYTHING}", EVERYTHING):
                routes = self._by_key.get((channel, key))
                if routes:
                    for route in tuple(routes):
                        self._hand_over(route, message)

    def _deliver_whole(self, channel: Channel, batch: Iterable[Any]) -> None:
        for message in batch:
            for route in tuple(self._by_key.get((channel, channel), ())):
                self._hand_over(route, message)

    def _hand_over(self, route: Route, message: Any) -> None:
        if not route.put(message):
            detail = f"more {route.channel.value} wait than a subscription may hold"
            self.remove(route, TooSlow(detail))


_CHANNELS: Final[dict[type, Channel]] = {
    Quote: Channel.QUOTES,
    Depth: Channel.DEPTH,
    Bar: Channel.BARS,
}
