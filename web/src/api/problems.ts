/** Errors of requests: what the server refused, and what never got an answer. */
import { withGroups } from "../ui/format.ts";
import type { components } from "./gateway.gen.ts";

export type Code = components["schemas"]["Code"];

/** The server's refusal: a problem document (docs/errors.md). */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: Code | "unreadable",
    detail: string,
    readonly field: string | null = null,
    readonly retryAfterSecs: number | null = null,
  ) {
    super(detail);
  }
}

/** There was no answer in time, or none at all: it is unknown whether the server acted. */
export class NoAnswer extends Error {}

/** The page itself did not do something. The message is a sentence for people. */
export class Declined extends Error {}

/** An unknown outcome, described by the message in a sentence. It is no fault. */
export class NotKnown extends Error {}

/** Whether the error is none of these four: a fault of the page. */
export function isFault(error: unknown): boolean {
  return ![Refusal, NoAnswer, Declined, NotKnown].some((kind) => error instanceof kind);
}

/** Whether the server has said that the session is over, and not only that it cannot answer now. */
export function endsSession(error: unknown): boolean {
  return error instanceof Refusal && (error.status === 401 || error.status === 403);
}

/** Server texts begin with a small letter, and have no full stop and no groups in numbers. */
export const asSentence = (text: string): string =>
  withGroups(`${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`);

/** A sentence for people. */
export function sentence(error: unknown): string {
  if (error instanceof NoAnswer) return "There is no connection to the server. Try again.";
  if (error instanceof Refusal) {
    const named = error.message.replace(/^\w+(?=: )/, (field) => field.replace(/_/g, " "));
    const text = asSentence(named);
    const wait = error.retryAfterSecs;
    return wait === null ? text : `${text} Try again in ${wait} s.`;
  }
  if (error instanceof Declined || error instanceof NotKnown) return error.message;
  return `The page has a fault: ${String(error)}`;
}
