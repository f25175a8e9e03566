/** Requests to the gateway with a deadline, a bearer token, and errors of two kinds. */
import { type Code, NoAnswer, Refusal } from "./problems.ts";

export const TIMEOUT_MS = 8_000;
/** Passwords are hashed slowly, at low priority: a busy server answers late. */
export const PASSWORD_TIMEOUT_MS = 25_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
export type Query = Record<string, string | number | readonly string[]>;
export interface Options {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly query?: Query;
  readonly body?: unknown;
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** The `Idempotency-Key` of a command. */
  readonly commandKey?: string;
}

function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)]),
  );
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}

function refusal(response: Response, body: unknown): Refusal {
  const problem =
    typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const { code, detail, field } = problem;
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new Refusal(
    response.status,
    typeof code === "string" ? (code as Code) : "unreadable",
    typeof detail === "string" ? detail : `The server answered ${response.status}.`,
    typeof field === "string" ? field : null,
    Number.isNaN(seconds) ? null : seconds,
  );
}

/** The answer's JSON, `null` if it has none. Throws Refusal or NoAnswer. */
export async function request(fetch: Fetch, path: string, options: Options = {}): Promise<unknown> {
  const deadline = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const headers: Record<string, string> = {};
  if (options.token !== undefined) headers["Authorization"] = `Bearer ${options.token}`;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.commandKey !== undefined) headers["Idempotency-Key"] = options.commandKey;
  let response: Response;
  let text: string;
  try {
    response = await fetch(withQuery(path, options.query ?? {}), {
      method: options.method ?? "GET",
      headers,
      signal: options.signal ? AbortSignal.any([options.signal, deadline]) : deadline,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new NoAnswer(String(error));
  }
  const body = text === "" ? null : parsed(text);
  if (!response.ok) throw refusal(response, body);
  if (body === undefined) throw new NoAnswer("the answer is not JSON");
  return body;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // refused by the caller, with the status of the answer
  }
}
