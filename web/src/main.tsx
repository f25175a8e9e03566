/** Composition root: creates what the page needs, and connects it to the browser's events. */
import { effect, signal, untracked } from "@preact/signals-core";
import { render } from "preact";
import { Client } from "./api/client.ts";
import { App } from "./app.tsx";
import { type Cancel, systemClock } from "./clock.ts";
import { Desk } from "./desk/desk.ts";
import { authCalls } from "./session/auth_calls.ts";
import { exclusively, otherTabs } from "./session/browser.ts";
import { Reauthentication } from "./session/reauthentication.ts";
import { Session } from "./session/session.ts";
import { BUILD_ID, isOutdated } from "./shell/build_id.ts";
import { FaultReports } from "./shell/fault_reports.ts";
import { Notices } from "./shell/notices.ts";
import { panelOf } from "./shell/panels.ts";
import { openSocket, streamAddress } from "./stream/browser.ts";
import { browserFrame } from "./ui/frame.ts";
import { Router } from "./ui/router.ts";
import { keptPreferences } from "./ui/theme.ts";
import { watchlistsOf } from "./watchlist/browser.ts";

const TICK_MS = 1_000;

const fetch = window.fetch.bind(window);
const notices = new Notices();
const faults = new FaultReports(fetch, `page ${BUILD_ID}`);
const report = (trouble: unknown) => {
  notices.report(trouble);
  void faults.send(trouble);
};
const session = new Session({
  auth: authCalls(fetch),
  clock: systemClock,
  tabs: otherTabs(),
  random: Math.random,
  exclusively: (work) => exclusively(navigator.locks, work),
});
const client = new Client(fetch, session);
const router = new Router({
  read: () => location,
  push: (address) => history.pushState(null, "", address),
  replace: (address) => history.replaceState(null, "", address),
});
const desk = signal<Desk | null>(null);
const reauthentication = new Reauthentication((path, options) => client.call(path, options));
const email = signal("");
const roles = signal<readonly string[]>([]);
const panel = signal(panelOf(location.hash));
const isPageOutdated = signal(false);

/** Random bits, also where `crypto.randomUUID` is not: by plain HTTP from another machine. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");

function deskOf(userId: string): [Desk, Cancel] {
  const { kept, listen } = watchlistsOf(userId, localStorage);
  const log = `tradedad.reconnects.${userId}`;
  const own = new Desk({
    clock: systemClock,
    random: Math.random,
    session,
    client: new Client(fetch, session, userId),
    open: (handlers) => openSocket(streamAddress(location), handlers),
    requestFrame: browserFrame,
    kept,
    reconnects: {
      read: () => sessionStorage.getItem(log),
      write: (text) => sessionStorage.setItem(log, text),
    },
    newKey,
    isVisible: () => !document.hidden,
    report,
  });
  return [own, listen(() => own.watchlist.refresh())];
}

/** A user has one desk from login to logout; another user gets another one. */
effect(() => {
  const state = session.state.value;
  if (state.kind !== "active") return;
  const [own, stopListening] = untracked(() => deskOf(state.userId));
  desk.value = own;
  untracked(() => notices.clear());
  untracked(() => own.start());
  client.account().then((account) => {
    if (desk.peek() !== own) return;
    email.value = account.email;
    roles.value = account.roles;
  }, report);
  return () => {
    desk.value = null;
    email.value = "";
    roles.value = [];
    reauthentication.answer(null);
    stopListening();
    own.stop();
  };
});

/** A login after a log out starts at the watchlist, not where the log out was. */
effect(() => {
  const state = session.state.value;
  if (state.kind !== "anonymous" || state.reason !== "logged_out") return;
  panel.value = null;
  router.replace({ view: "list", id: null });
});

/** After a reconnect the server may be a newer one. */
effect(() => {
  const { reconnects, stream } = desk.value ?? {};
  if (reconnects?.isFirst.value !== false || stream?.state.value.kind !== "open") return;
  untracked(() => notices.connected());
  desk.value?.watchlist.refresh();
  isOutdated(fetch).then((is) => {
    isPageOutdated.value = is;
  }, report);
});

function wake(): void {
  session.wake();
  desk.peek()?.stream.doubt();
  desk.peek()?.watchlist.refresh();
}

setInterval(() => desk.peek()?.tick(), TICK_MS);
document.addEventListener("visibilitychange", () => {
  desk.peek()?.showOrHide();
  if (!document.hidden) wake();
});
window.addEventListener("online", wake);
window.addEventListener("popstate", () => {
  router.moved();
  if (history.state === null) desk.peek()?.trading.screens.showMarket();
});
// A page in the back-forward cache must not hold a connection.
window.addEventListener("pagehide", () => desk.peek()?.stream.stop());
window.addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  session.wake();
  desk.peek()?.stream.start();
});
// The browser asks before it leaves a page with an edit that is not stored.
window.addEventListener("beforeunload", (event) => {
  if (desk.peek()?.watchlist.isStoring.peek()) event.preventDefault();
});
window.addEventListener("hashchange", () => {
  panel.value = panelOf(location.hash);
});
window.addEventListener("error", ({ error, message }) => report(error ?? message));
window.addEventListener("unhandledrejection", ({ reason }) => report(reason));

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no element #app");
render(
  <App
    session={session}
    router={router}
    desk={desk}
    email={email}
    client={client}
    reauthentication={reauthentication}
    roles={roles}
    preferences={keptPreferences(localStorage, document.documentElement, report)}
    panel={panel}
    notices={notices}
    isOutdated={isPageOutdated}
  />,
  root,
);
void session.renew();
