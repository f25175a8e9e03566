/** Orders, positions and accounts below the market: the account that is shown, tabs, and how current they are. */

import { useLayoutEffect } from "preact/hooks";
import { sentence } from "../../api/problems.ts";
import type { Desk } from "../../desk/desk.ts";
import { timeOfDay } from "../../ui/format.ts";
import { TRADING_TABLE } from "../../ui/places.ts";
import { rupees } from "../amount.ts";
import { type Account, isOpen } from "../messages.ts";
import { TABS, type Tab } from "../screens.ts";
import { ACCOUNTS, NO_LIVE } from "../words.ts";
import "./choice.css";
import "./dock.css";
import { AccountView } from "./AccountView.tsx";
import { DayProfit } from "./DayProfit.tsx";
import { HoldingsTable } from "./HoldingsTable.tsx";
import { OrdersTable } from "./OrdersTable.tsx";
import { PositionsTable } from "./PositionsTable.tsx";
import { TradesTable } from "./TradesTable.tsx";
import { Unsettled } from "./Unsettled.tsx";

const TITLES: Readonly<Record<Tab, string>> = {
  open: "Open orders",
  orders: "Orders",
  trades: "Trades",
  positions: "Positions",
  holdings: "Holdings",
  account: "Account",
};
const tabId = (tab: Tab): string => `tab-${tab}`;

function Panel({ desk, tab }: { desk: Desk; tab: Tab }) {
  const { accounts, account, screens } = desk.trading;
  const { hasOrders, hasPositions } = accounts.book(account.value).value;
  const isRead = tab === "positions" || tab === "holdings" ? hasPositions : hasOrders;
  const isFailed = account.value === "upstox" && accounts.trouble.value !== null;
  if (tab !== "account" && !isRead)
    return <p class="muted empty">{isFailed ? "Not read yet." : "Loading …"}</p>;
  switch (tab) {
    case "open":
      return <OrdersTable desk={desk} isOpenOnly={true} />;
    case "orders":
      return <OrdersTable desk={desk} isOpenOnly={false} />;
    case "trades":
      return <TradesTable desk={desk} />;
    case "positions":
      // Its key selects the first position, which is open, and not one that was closed since.
      return <PositionsTable key={screens.asked.value} desk={desk} />;
    case "holdings":
      return <HoldingsTable desk={desk} />;
    case "account":
      return <AccountView desk={desk} />;
  }
}

function AccountChoice({ desk }: { desk: Desk }) {
  const { trading } = desk;
  const { hasAccount } = trading.accounts.link;
  const choose = (account: Account, isOff = false) => (
    <label class={account} title={isOff ? NO_LIVE : ""}>
      <input
        type="radio"
        name="shown-account"
        checked={trading.account.value === account}
        disabled={isOff}
        onChange={() => trading.showAccount(account)}
      />
      {ACCOUNTS[account]}
    </label>
  );
  return (
    <fieldset class="choice">
      <legend class="unseen">Account</legend>
      {choose("paper")}
      {choose("upstox", !hasAccount)}
    </fieldset>
  );
}

/** Whether what is shown is everything that has happened. */
function Currency({ desk }: { desk: Desk }) {
  const { follower, accounts, account } = desk.trading;
  const isCurrent = follower.state.value === "current";
  const reason = follower.trouble.value;
  const isUpstox = account.value === "upstox";
  const trouble = isUpstox ? accounts.trouble.value : null;
  return (
    <p class="currency" role="status" id="currency" data-current={isCurrent ? "true" : "false"}>
      {isCurrent
        ? "Up to date"
        : `May be outdated: catching up …${reason === null ? "" : ` ${sentence(reason)}`}`}
      {isUpstox && ` · Upstox as of ${timeOfDay(accounts.upstoxReadMs.value)}`}
      {trouble !== null && ` · ${sentence(trouble)}`}{" "}
      {isUpstox && (
        <button type="button" onClick={() => void accounts.readUpstox()}>
          Read again
        </button>
      )}
    </p>
  );
}

export function Dock({ desk }: { desk: Desk }) {
  const { trading } = desk;
  const account = trading.account.value;
  const tab = trading.screens.tab.value;
  const { orders, positions, funds } = trading.accounts.book(account).value;
  const counts: Partial<Record<Tab, number>> = {
    open: orders.filter(isOpen).length,
    positions: positions.filter(({ quantity }) => quantity !== 0).length,
  };
  const limits = trading.accounts.limits(account).value;
  const isStopped = limits !== null && (limits.kill_switch || limits.loss_lock);
  const asked = trading.screens.asked.value;
  useLayoutEffect(() => {
    if (asked === 0) return;
    const table = document.getElementById(TRADING_TABLE);
    (table ?? document.getElementById(tabId(tab)))?.focus();
  }, [asked]);
  const onKeyDown = (event: KeyboardEvent) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(tab) + steps + TABS.length) % TABS.length];
    if (next === undefined) return;
    trading.screens.show(next);
    document.getElementById(tabId(next))?.focus();
  };
  return (
    <section class={`dock ${account}`} aria-label="Trading">
      <div class="dock-head">
        <AccountChoice desk={desk} />
        <div role="tablist" aria-label="Trading" class="tabs">
          {TABS.map((one) => (
            <button
              key={one}
              type="button"
              role="tab"
              id={tabId(one)}
              aria-selected={one === tab}
              aria-controls="dock-panel"
              tabIndex={one === tab ? 0 : -1}
              onClick={() => trading.screens.show(one)}
              onKeyDown={onKeyDown}
            >
              {TITLES[one]}
              {counts[one] ? ` ${counts[one]}` : ""}
            </button>
          ))}
        </div>
        <dl>
          <DayProfit desk={desk} />
          <dt>Available</dt>
          <dd>{rupees(funds?.available)}</dd>
        </dl>
        <Currency desk={desk} />
      </div>
      {isStopped && (
        <p class="stopped">
          {limits.kill_switch
            ? "New orders are stopped by your kill switch."
            : "New orders are stopped until tomorrow: the day's loss is above your limit."}
        </p>
      )}
      <Unsettled desk={desk} />
      <p role="status" class="news" id="news">
        {trading.news}
      </p>
      <div
        role="tabpanel"
        id="dock-panel"
        aria-labelledby={tabId(tab)}
        data-age={trading.follower.state.value}
      >
        <Panel desk={desk} tab={tab} />
      </div>
    </section>
  );
}
