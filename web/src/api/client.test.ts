import { signal } from "@preact/signals-core";
import { expect, test } from "vitest";
import type { Renewal, SessionState } from "../session/session.ts";
import { Client } from "./client.ts";
import { NoAnswer } from "./problems.ts";
import type { Fetch } from "./rest.ts";

/** A server that accepts one token, and a session that has others first. */
function setUp(tokens: (string | null)[], renewal: Renewal = "renewed") {
  const urls: string[] = [];
  const fetch: Fetch = async (url, { headers }) => {
    urls.push(url);
    const isAccepted = (headers as Record<string, string>)["Authorization"] === "Bearer good";
    return isAccepted
      ? new Response('{"instruments":[]}')
      : new Response('{"code":"token_expired","detail":"expired"}', { status: 401 });
  };
  const state = signal<SessionState>({ kind: "active", userId: "u1" });
  const session = {
    state,
    token: async () => tokens[0] ?? null,
    renew: async () => {
      tokens.shift();
      return renewal;
    },
  };
  return { client: new Client(fetch, session), own: new Client(fetch, session, "u1"), urls, state };
}

test("a request whose token is refused is sent once more with a new one", async () => {
  const { client, urls } = setUp(["old", "good"]);
  await client.call("/v1/status");
  expect(urls).toEqual(["/v1/status", "/v1/status"]);
});

test("it is not sent a third time", async () => {
  const { client, urls } = setUp(["old", "older", "good"]);
  await expect(client.call("/v1/status")).rejects.toMatchObject({ code: "token_expired" });
  expect(urls).toHaveLength(2);
});

test("a session that cannot be renewed leaves the refusal", async () => {
  const { client, urls } = setUp(["old"], "ended");
  await expect(client.call("/v1/status")).rejects.toMatchObject({ status: 401 });
  expect(urls).toHaveLength(1);
});

test("without a token nothing is sent", async () => {
  const { client, urls } = setUp([null]);
  await expect(client.call("/v1/status")).rejects.toThrow("no access token");
  expect(urls).toEqual([]);
});

test("many keys are asked for in several requests", async () => {
  const { client, urls } = setUp(["good"]);
  await client.instruments(Array.from({ length: 120 }, (_, index) => `NSE_EQ|${index}`));
  expect(urls).toHaveLength(3);
  expect(Math.max(...urls.map((url) => url.length))).toBeLessThan(8_000);
});

test("nothing is sent for a user after another one has logged in", async () => {
  const { own, urls, state } = setUp(["good"]);
  await own.call("/v1/status");
  state.value = { kind: "active", userId: "u2" };
  await expect(own.call("/v1/orders")).rejects.toBeInstanceOf(NoAnswer);
  expect(urls).toEqual(["/v1/status"]);
});
