"""A simple gateway to compare with in `bench.gateway`: one `send_str` per quote and client.

Each client has a bounded queue and a task that sends, so a slow client does not delay others.
"""

import asyncio
import sys
from collections import defaultdict

import msgspec
import uvloop
from aiohttp import web
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.contracts.subjects import ALL_QUOTES, quote_subject

Queue = asyncio.Queue[str]


class SimpleGateway:
    """Relays quotes from NATS to WebSocket clients."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, set[Queue]] = defaultdict(set)

    async def on_quote(self, message: Msg) -> None:
        text = message.data.decode()
        for queue in self._queues[message.subject]:
            if not queue.full():
                queue.put_nowait(text)

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        queue: Queue = asyncio.Queue(10_000)
        sender = asyncio.create_task(self._send(socket, queue))
        try:
            async for message in socket:
                body = msgspec.json.decode(message.data)
                if body["op"] == "auth":
                    await socket.send_str('{"type":"authenticated"}')
                    continue
                for key in body["keys"]:
                    self._queues[quote_subject(key)].add(queue)
                await socket.send_str('{"type":"ack"}')
        finally:
            sender.cancel()
        return socket

    async def _send(self, socket: web.WebSocketResponse, queue: Queue) -> None:
        while True:
            await socket.send_str(await queue.get())


async def serve(port: int, nats_url: str, user: str, password: str) -> None:
    """Serve until the process is killed."""
    gateway = SimpleGateway()
    client = Client()
    await client.connect(nats_url, user=user, password=password, inbox_prefix=f"_INBOX.{user}")
    await client.subscribe(ALL_QUOTES, cb=gateway.on_quote)
    app = web.Application()
    app.add_routes([web.get("/ws", gateway.stream)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    port, url, user, password = sys.argv[1:]
    uvloop.run(serve(int(port), url, user, password))
