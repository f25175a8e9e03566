/** The head of the page: the state of the feed, how old prices are, and the user. */
import { useComputed } from "@preact/signals";
import type { Desk } from "../desk/desk.ts";
import { ofDay } from "../stream/reconnects.ts";
import { age } from "../ui/format.ts";
import { dayOf } from "../ui/ist.ts";
import { feedText } from "./feed_text.ts";
import { ReconnectLog } from "./ReconnectLog.tsx";

interface HeaderProps {
  readonly desk: Desk;
  readonly email: string;
  readonly isAdmin: boolean;
  readonly onHelp: () => void;
  readonly onLogOut: () => void;
}

export function Header({ desk, email, isAdmin, onHelp, onLogOut }: HeaderProps) {
  const { market, stream } = desk;
  const feed = useComputed(() => {
    market.revision.value;
    return feedText(stream.state.value, market.path, desk.nowMs.value);
  });
  const newest = useComputed(() => {
    const nowMs = desk.nowMs.value;
    const newestMs = market.quotes.newestMs();
    return newestMs === null ? "–" : age(nowMs - newestMs);
  });
  const roundTrip = useComputed(() => {
    const ms = stream.roundTripMs.value;
    return ms === null ? "–" : `${Math.round(ms)}\u00a0ms`;
  });
  const today = useComputed(() => dayOf(desk.nowMs.value));
  const lost = useComputed(() => ofDay(desk.reconnects.all.value, today.value));
  // The detail changes each second while a connection is awaited: only the text is announced.
  const text = useComputed(() => feed.value.text);
  const tone = useComputed(() => `feed ${feed.value.tone}`);
  const detail = useComputed(() => feed.value.detail);
  return (
    <header class="head">
      <h1>Trade Dad</h1>
      <div class={tone}>
        <span role="status" id="feed">
          {text}
        </span>{" "}
        <small class="muted">{detail}</small>
      </div>
      <dl>
        <dt>Newest quote</dt>
        <dd>{newest}</dd>
        <dt>Round trip</dt>
        <dd>{roundTrip}</dd>
      </dl>
      <ReconnectLog reconnects={lost.value} />
      <a class="who" id="who" href="#account" aria-description="Account: password and sessions">
        {email}
      </a>
      {isAdmin && <a href="#operator">Operator</a>}
      <a href="#settings">Settings</a>
      <button type="button" class="keys" onClick={onHelp} aria-keyshortcuts="?">
        Keys
      </button>
      <button type="button" onClick={onLogOut}>
        Log out
      </button>
    </header>
  );
}
