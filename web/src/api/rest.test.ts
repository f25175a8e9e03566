import { expect, test } from "vitest";
import { NoAnswer, Refusal } from "./problems.ts";
import { type Fetch, request } from "./rest.ts";

const answering =
  (body: string, init: ResponseInit, seen: [string, RequestInit][] = []): Fetch =>
  async (url, options) => {
    seen.push([url, options]);
    return new Response(body, init);
  };

test("keys are encoded in the address, and lists are repeated", async () => {
  const seen: [string, RequestInit][] = [];
  await request(answering("{}", { status: 200 }, seen), "/v1/instruments", {
    query: { keys: ["NSE_EQ|A", "NSE_INDEX|Nifty 50"], limit: 8 },
  });
  expect(seen[0]?.[0]).toBe("/v1/instruments?keys=NSE_EQ%7CA&keys=NSE_INDEX%7CNifty+50&limit=8");
});

test("the token and the body are sent", async () => {
  const seen: [string, RequestInit][] = [];
  const fetch = answering("", { status: 200 }, seen);
  expect(await request(fetch, "/x", { method: "POST", body: { a: 1 }, token: "t" })).toBeNull();
  expect(seen[0]?.[1].headers).toEqual({
    Authorization: "Bearer t",
    "Content-Type": "application/json",
  });
  expect(seen[0]?.[1].body).toBe('{"a":1}');
});

test("a problem document becomes a refusal with its code, field and pause", async () => {
  const problem = '{"code":"invalid_field","status":422,"detail":"too short","field":"password"}';
  const fetch = answering(problem, { status: 422, headers: { "Retry-After": "7" } });
  const error = await request(fetch, "/x").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Refusal);
  expect(error).toMatchObject({
    status: 422,
    code: "invalid_field",
    message: "too short",
    field: "password",
    retryAfterSecs: 7,
  });
});

test("an error of a proxy without a problem document is a refusal with its status", async () => {
  const fetch = answering("<h1>Bad gateway</h1>", { status: 502 });
  await expect(request(fetch, "/x")).rejects.toMatchObject({ status: 502, code: "unreadable" });
});

test("a broken connection and an unreadable success are no answers", async () => {
  const broken: Fetch = () => Promise.reject(new TypeError("failed to fetch"));
  await expect(request(broken, "/x")).rejects.toBeInstanceOf(NoAnswer);
  await expect(request(answering("<h1>", { status: 200 }), "/x")).rejects.toBeInstanceOf(NoAnswer);
});

test("a request that its caller has cancelled is neither", async () => {
  const controller = new AbortController();
  controller.abort();
  const fetch: Fetch = (_, { signal }) => Promise.reject(signal?.reason);
  const done = request(fetch, "/x", { signal: controller.signal });
  await expect(done).rejects.toMatchObject({ name: "AbortError" });
});
