/** The page: what it shows for each state of the session. */
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { Signal } from "@preact/signals-core";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { AccountView } from "./account/AccountView.tsx";
import type { Client } from "./api/client.ts";
import type { Desk } from "./desk/desk.ts";
import { InstrumentView } from "./instrument/InstrumentView.tsx";
import { Login } from "./login/Login.tsx";
import { OperatorView } from "./operator/OperatorView.tsx";
import type { Reauthentication } from "./session/reauthentication.ts";
import type { Session } from "./session/session.ts";
import { SettingsView } from "./settings/SettingsView.tsx";
import { Header } from "./shell/Header.tsx";
import { Help } from "./shell/Help.tsx";
import { NoticeList } from "./shell/NoticeList.tsx";
import type { Notices } from "./shell/notices.ts";
import { PanelFrame } from "./shell/PanelFrame.tsx";
import { PasswordDialog } from "./shell/PasswordDialog.tsx";
import type { Panel } from "./shell/panels.ts";
import { BottomBar } from "./trading/views/BottomBar.tsx";
import { TradingViews } from "./trading/views/TradingViews.tsx";
import { actionOf } from "./ui/keys.ts";
import { focusOn, GRID, SEARCH } from "./ui/places.ts";
import type { Preferences } from "./ui/preferences.ts";
import { addressOf, type Route } from "./ui/route.ts";
import type { Router } from "./ui/router.ts";
import { WatchlistView } from "./watchlist/WatchlistView.tsx";
import "./ui/tokens.css";
import "./ui/base.css";
import "./shell/shell.css";

export interface AppProps {
  readonly session: Session;
  readonly router: Router;
  readonly desk: Signal<Desk | null>;
  readonly client: Client;
  readonly reauthentication: Reauthentication;
  readonly email: Signal<string>;
  /** Rights beyond those of every user. */
  readonly roles: Signal<readonly string[]>;
  readonly preferences: Signal<Preferences>;
  /** The view beside the desk that is shown instead of it. */
  readonly panel: Signal<Panel | null>;
  readonly notices: Notices;
  readonly isOutdated: Signal<boolean>;
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

const isInDialog = (): boolean => document.querySelector("dialog[open]") !== null;

export function App(props: AppProps) {
  const state = props.session.state.value;
  const desk = props.desk.value;
  if (state.kind === "anonymous") return <Login session={props.session} reason={state.reason} />;
  if (state.kind === "starting" || desk === null) {
    const isTrouble = state.kind === "starting" && state.trouble;
    return (
      <main class="starting">
        <p role="status">
          {isTrouble ? "The server does not answer. Trying again …" : "Starting …"}
        </p>
      </main>
    );
  }
  return <DeskView {...props} deskOfUser={desk} />;
}

/** A narrow window has no room for the list beside an instrument. */
function search(router: Router): void {
  focusOn(SEARCH);
  if (document.activeElement?.id === SEARCH) return;
  router.go(LIST);
  focusOn(SEARCH);
}

/** The address names a watchlist: it is shown. */
function showListOf(router: Router, { watchlist }: Desk): void {
  const route = router.route.value;
  if (route.view === "list" && route.id !== null) watchlist.show(route.id);
}

/** Another watchlist is shown: the address follows, if it names one. */
function followList(router: Router, { watchlist }: Desk): void {
  const lists = watchlist.lists.value;
  const id = watchlist.list.value.list_id;
  const route = router.route.peek();
  if (route.view !== "list" || route.id === id) return;
  // A list that has not been read yet is still to be shown.
  if (lists.some((one) => one.list_id === route.id)) router.replace({ view: "list", id });
}

const LIST: Route = { view: "list", id: null };

function leavePanel(): void {
  location.hash = "desk";
}

function DeskView({ deskOfUser, router, ...props }: AppProps & { deskOfUser: Desk }) {
  const isHelpOpen = useSignal(false);
  // An attribute that is bound to a signal changes at once: the focus can follow.
  const view = useComputed(() => (props.panel.value === null ? router.route.value.view : "panel"));
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // What has the focus goes before.
      const isDone = event.defaultPrevented || isText(event.target) || isInDialog();
      const action = isDone ? null : actionOf("anywhere", event);
      if (action === null) return;
      event.preventDefault();
      if (action === "search") search(router);
      else if (action === "help") isHelpOpen.value = true;
      else {
        if (props.panel.peek() !== null) leavePanel();
        deskOfUser.trading.screens.act(action);
      }
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  const isPanel = props.panel.value !== null;
  const wasPanel = useRef(isPanel);
  useLayoutEffect(() => {
    if (wasPanel.current && !isPanel && document.activeElement === document.body) focusOn(GRID);
    wasPanel.current = isPanel;
  }, [isPanel]);
  // On a phone a panel takes the market's place, and its way back leads to the watchlist.
  useSignalEffect(() => {
    if (props.panel.value !== null) deskOfUser.trading.screens.showMarket();
  });
  useSignalEffect(() => showListOf(router, deskOfUser));
  useSignalEffect(() => followList(router, deskOfUser));
  const isAdmin = props.roles.value.includes("admin");
  const logOut = () =>
    props.session.logOut().catch((error: unknown) => props.notices.report(error));
  const route = router.route.value;
  const showList = () => {
    if (router.route.peek().view !== "list") router.go(LIST);
  };
  const open = (key: string, isNewWindow: boolean) => {
    const interval = route.view === "instrument" ? route.interval : null;
    const opened: Route = { view: "instrument", key, interval };
    if (isNewWindow) window.open(addressOf(opened), "_blank", "noopener");
    else router.go(opened);
  };
  return (
    <div class="page" data-place={deskOfUser.trading.screens.place}>
      <Header
        desk={deskOfUser}
        email={props.email.value}
        isAdmin={isAdmin}
        onHelp={() => {
          isHelpOpen.value = true;
        }}
        onLogOut={logOut}
      />
      <NoticeList notices={props.notices} isOutdated={props.isOutdated} />
      <main data-view={view}>
        {props.panel.value === null ? (
          <>
            <WatchlistView desk={deskOfUser} onOpen={open} />
            {route.view === "instrument" && (
              <InstrumentView
                desk={deskOfUser}
                instrumentKey={route.key}
                intervalName={route.interval}
                onInterval={(interval) => router.replace({ ...route, interval })}
                onLeave={() => {
                  router.go(LIST);
                  focusOn(GRID);
                }}
              />
            )}
          </>
        ) : (
          <PanelView {...props} router={router} panel={props.panel.value} isAdmin={isAdmin} />
        )}
      </main>
      {props.panel.value === null ? (
        <TradingViews desk={deskOfUser} onList={showList} />
      ) : (
        <BottomBar desk={deskOfUser} onList={showList} onLeave={leavePanel} />
      )}
      {props.reauthentication.isAsking.value && (
        <PasswordDialog reauthentication={props.reauthentication} />
      )}
      {isHelpOpen.value && (
        <Help
          onClose={() => {
            isHelpOpen.value = false;
          }}
        />
      )}
    </div>
  );
}

function PanelView({
  panel,
  isAdmin,
  ...props
}: Omit<AppProps, "panel"> & { panel: Panel; isAdmin: boolean }) {
  const { client, reauthentication } = props;
  if (panel === "settings") {
    return (
      <PanelFrame title="Settings">
        <SettingsView preferences={props.preferences} />
      </PanelFrame>
    );
  }
  if (panel === "account") {
    return (
      <PanelFrame title="Account">
        <AccountView
          client={client}
          reauthentication={reauthentication}
          email={props.email.value}
        />
      </PanelFrame>
    );
  }
  return (
    <PanelFrame title="Operator">
      {isAdmin ? (
        <OperatorView client={client} reauthentication={reauthentication} />
      ) : (
        <p>Only administrators see this page.</p>
      )}
    </PanelFrame>
  );
}
