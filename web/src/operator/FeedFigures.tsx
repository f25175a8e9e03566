/** The state of the feed, of the stored bars and of the gateway that answers. */
import { dateTime, timeOfDay } from "../ui/format.ts";
import { ofMost, quoteAge, storedUntil, subscribed } from "./figures.ts";
import type { OperatorStore, Part } from "./operator.ts";
import type { FeedLink } from "./operator_calls.ts";

const TOKENS: Readonly<Record<FeedLink["state"], string>> = {
  unlinked: "of the settings: no Upstox account is linked for the feed",
  waiting: "waits for the approval in Upstox's app",
  linked: "of the linked Upstox account",
  expired: "expired: log in at Upstox again",
};

export function FeedFigures({ store }: { store: OperatorStore }) {
  const status = store.status.value;
  const figures = store.figures.value;
  const history = store.history.value;
  const link = store.link.value;
  const feed = status.value?.feed;
  return (
    <>
      <h3>Feed</h3>
      <Trouble part={status} />
      <Trouble part={link} />
      <dl class="figures">
        <dt>State</dt>
        <dd>
          {feed === undefined || feed === null
            ? "no ingest has told it yet"
            : `${feed.state} since ${dateTime(feed.since)}${feed.simulated ? " (simulated)" : ""}`}
          {status.value !== null && !status.value.feed_is_current && ", not heard for 6 s"}
        </dd>
        {feed?.detail && (
          <>
            <dt>Reason</dt>
            <dd>{feed.detail}</dd>
          </>
        )}
        <dt>Term of the leader</dt>
        <dd>{figures.value?.epoch ?? "–"}</dd>
        <dt>Newest quote</dt>
        <dd>{quoteAge(current(figures)?.newest_quote_age_ms)}</dd>
        <dt>Subscribed at Upstox</dt>
        <dd>{subscribed(current(figures)?.modes)}</dd>
        <dt>Silent instruments</dt>
        <dd>{feed?.stale?.length ?? 0}</dd>
        <dt>Token of the feed</dt>
        <dd>
          {link.value === null ? "–" : TOKENS[link.value.state]}
          {link.value?.expires_at && `, ends ${dateTime(link.value.expires_at)}`}
        </dd>
      </dl>
      <h3>Bars</h3>
      <Trouble part={history} />
      {history.value !== null && (
        <dl class="figures">
          <dt>Stored until</dt>
          <dd>{storedUntil(history.value.stored_until_ms, current(status)?.now)}</dd>
          <dt>Partial bars</dt>
          <dd>{counted(history.value.partial_bars)}</dd>
          <dt>Gaps</dt>
          <dd>
            {counted(history.value.open_gaps)} open, {counted(history.value.abandoned_gaps)} given
            up
          </dd>
        </dl>
      )}
      <h3>Gateway</h3>
      <Trouble part={figures} />
      {figures.value !== null && (
        <dl class="figures">
          <dt>Name</dt>
          <dd>{figures.value.gateway_id}</dd>
          <dt>Clock</dt>
          <dd>{timeOfDay(status.value?.now)}</dd>
          <dt>Streams</dt>
          <dd>{ofMost(figures.value.streams, figures.value.max_streams)}</dd>
          <dt>Users with a stream</dt>
          <dd>{figures.value.users}</dd>
          <dt>Subscribed instruments</dt>
          <dd>{pairs(figures.value.subscriptions)}</dd>
          <dt>What the feed delivers</dt>
          <dd>{pairs(figures.value.outcomes)}</dd>
          <dt>Instruments with a quote</dt>
          <dd>{figures.value.instruments}</dd>
        </dl>
      )}
    </>
  );
}

/** Not what was read before a failure: an age or a time would stand still. */
const current = <T,>({ value, trouble }: Part<T>): T | null => (trouble === null ? value : null);

/** The server counts up to a thousand. */
const counted = (value: number) => (value < 1_000 ? String(value) : "1,000 or more");

const pairs = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, value]) => `${value} ${name.replaceAll("_", " ")}`)
    .join(", ");

export function Trouble({ part }: { part: Part<unknown> }) {
  return part.trouble === null ? null : <p class="trouble">Not current: {part.trouble}</p>;
}
