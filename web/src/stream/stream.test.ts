import { beforeEach, describe, expect, test } from "vitest";
import type { Renewal } from "../session/session.ts";
import { ManualClock, settled } from "../testing/manual_clock.ts";
import type { ServerMessage } from "./protocol.ts";
import type { Reconnect } from "./reconnects.ts";
import { type SocketHandlers, Stream, type StreamListener } from "./stream.ts";
import { Subscriptions } from "./subscriptions.ts";

class FakeSocket {
  readonly sent: Record<string, unknown>[] = [];
  isClosed = false;

  constructor(readonly handlers: SocketHandlers) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  receive(message: object): void {
    this.handlers.received(JSON.stringify(message));
  }

  open(): void {
    this.handlers.opened();
    this.receive({ type: "authenticated", user_id: "u1", expires_at: 1 });
  }

  get operations(): unknown[] {
    return this.sent.map(({ op }) => op);
  }
}

class Log implements StreamListener {
  readonly events: string[] = [];
  opened(): void {
    this.events.push("opened");
  }
  received(message: ServerMessage): void {
    if (message.type === "quotes") this.events.push("quotes");
  }
  cut(): void {
    this.events.push("cut");
  }
}

let clock: ManualClock;
let sockets: FakeSocket[];
let log: Log;
let lost: Reconnect[];
let subscriptions: Subscriptions;
let tokens: (string | null)[];
let renewals: Renewal[];
let stream: Stream;

beforeEach(() => {
  clock = new ManualClock();
  sockets = [];
  log = new Log();
  lost = [];
  subscriptions = new Subscriptions();
  tokens = ["t1"];
  renewals = [];
  stream = new Stream(
    {
      clock,
      random: () => 1,
      open(handlers) {
        const socket = new FakeSocket(handlers);
        sockets.push(socket);
        return socket;
      },
      token: async () => tokens[0] ?? null,
      renew: async () => {
        tokens.shift();
        return renewals.shift() ?? "renewed";
      },
      isVisible: () => true,
      reconnects: { add: (entry) => lost.push(entry) },
    },
    subscriptions,
    log,
  );
});

const last = (): FakeSocket => sockets.at(-1) ?? expect.fail("there is no socket");

async function opened(): Promise<FakeSocket> {
  stream.start();
  await settled();
  last().open();
  return last();
}

describe("a stream", () => {
  test("authenticates first and then subscribes to everything that is followed", async () => {
    subscriptions.follow("quotes", ["a"]);
    const socket = await opened();
    expect(socket.operations).toEqual(["auth", "subscribe", "subscribe", "subscribe", "ping"]);
    expect(socket.sent[0]).toEqual({ op: "auth", token: "t1" });
    expect(stream.state.value.kind).toBe("open");
    expect(log.events).toEqual(["opened"]);
  });

  test("ignores a message of a type that it does not know", async () => {
    const socket = await opened();
    socket.receive({ type: "of_next_year" });
    expect(stream.state.value.kind).toBe("open");
  });

  test("comes back after a pause when it is lost, and says why", async () => {
    const socket = await opened();
    socket.handlers.closed(1006);
    expect(log.events).toEqual(["opened", "cut"]);
    expect(stream.state.value).toMatchObject({
      kind: "waiting",
      reason: "the connection was lost",
    });
    await clock.pass(500);
    expect(sockets).toHaveLength(2);
    last().open();
    expect(log.events).toEqual(["opened", "cut", "opened"]);
    expect(lost).toEqual([{ at_ms: clock.now() - 500, reason: "the connection was lost" }]);
  });

  test("waits longer each time while the server is away", async () => {
    await opened();
    for (const pause of [500, 1_000, 2_000]) {
      last().handlers.closed(1006);
      const count = sockets.length;
      await clock.pass(pause - 1);
      expect(sockets).toHaveLength(count);
      await clock.pass(1);
      expect(sockets).toHaveLength(count + 1);
    }
  });

  test("that was mute for eight seconds is given up, and its old socket counts no more", async () => {
    const socket = await opened();
    socket.receive({ type: "pong" });
    await clock.pass(8_000);
    expect(log.events).toEqual(["opened", "cut"]);
    expect(socket.isClosed).toBe(true);
    socket.receive({ type: "quotes", data: [] });
    expect(log.events).toEqual(["opened", "cut"]);
  });

  test("that does not open in ten seconds is tried again", async () => {
    stream.start();
    await clock.pass(10_000);
    expect(stream.state.value.kind).toBe("waiting");
    expect(log.events).toEqual([]);
  });

  test("presents a new token when the server asks for one", async () => {
    tokens = ["t1", "t2"];
    const socket = await opened();
    socket.receive({ type: "expiring", expires_at: 1 });
    await settled();
    expect(socket.sent.at(-1)).toEqual({ op: "auth", token: "t2" });
    socket.receive({ type: "authenticated", user_id: "u1", expires_at: 2 });
    expect(log.events).toEqual(["opened"]);
  });

  test("presents a token that was renewed meanwhile without renewing it once more", async () => {
    const socket = await opened();
    tokens = ["t2"];
    socket.receive({ type: "expiring", expires_at: 1 });
    await settled();
    expect(socket.sent.at(-1)).toEqual({ op: "auth", token: "t2" });
    expect(tokens).toEqual(["t2"]);
  });

  test("renews its token after 4401 before it comes back", async () => {
    tokens = ["t1", "t2"];
    const socket = await opened();
    socket.handlers.closed(4401);
    await clock.pass(500);
    last().open();
    expect(last().sent[0]).toEqual({ op: "auth", token: "t2" });
  });

  test("stays away when the session was ended", async () => {
    renewals = ["ended"];
    const socket = await opened();
    socket.handlers.closed(4403);
    await clock.pass(600_000);
    expect(sockets).toHaveLength(1);
  });

  test("keeps its token after 1012", async () => {
    const socket = await opened();
    socket.handlers.closed(1012);
    await clock.pass(3_000);
    last().open();
    expect(last().sent[0]).toEqual({ op: "auth", token: "t1" });
  });

  test("comes back at once when the network does", async () => {
    const socket = await opened();
    socket.handlers.closed(4429);
    stream.doubt();
    await settled();
    expect(sockets).toHaveLength(2);
  });

  test("is asked when the page is shown again", async () => {
    const socket = await opened();
    stream.doubt();
    expect(socket.operations.filter((op) => op === "ping")).toHaveLength(2);
  });

  test("leaves no timer and no socket when it is stopped", async () => {
    const socket = await opened();
    stream.stop();
    expect(clock.timers).toBe(0);
    expect(socket.isClosed).toBe(true);
    expect(log.events).toEqual(["opened", "cut"]);
    stream.start();
    await settled();
    expect(sockets).toHaveLength(2);
  });

  test("sends nothing while it is not open", async () => {
    stream.send([{ op: "ping" }]);
    stream.start();
    await settled();
    stream.send([{ op: "ping" }]);
    expect(last().sent).toEqual([]);
  });

  test("measures the round trip", async () => {
    const socket = await opened();
    await clock.pass(40);
    socket.receive({ type: "pong" });
    expect(stream.roundTripMs.value).toBe(40);
  });
});
