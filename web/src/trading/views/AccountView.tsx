/** Funds, limits, kill switch, and the link to Upstox. */
import type { Desk } from "../../desk/desk.ts";
import { type Figure, FigureList } from "../../ui/FigureList.tsx";
import { quantity, timeOfDay } from "../../ui/format.ts";
import { rupees } from "../amount.ts";
import type { Funds, Limits } from "../messages.ts";
import { LinkView } from "./LinkView.tsx";
import "./account.css";

function fundLines(funds: Funds): readonly Figure[] {
  const { cash, available, realised, charges, order_margin, position_margin, used } = funds;
  const lines: readonly (readonly [string, string | null | undefined])[] = [
    ["Available", available],
    ["Cash", cash],
    ["Realised today, before charges", realised],
    ["Charges today", charges],
    ["Margin of open orders", order_margin],
    ["Margin of positions", position_margin],
    ["Used", used],
  ];
  return lines.flatMap(([name, value]): Figure[] => (value ? [[name, rupees(value)]] : []));
}

function limitLines(limits: Limits): readonly Figure[] {
  return [
    ["Quantity of an order", quantity(limits.max_order_quantity)],
    ["Value of an order", rupees(limits.max_order_value)],
    ["Open orders", quantity(limits.max_open_orders)],
    ["Orders a second", quantity(limits.max_orders_per_sec)],
    ["Orders a day", quantity(limits.max_orders_per_day)],
    ["Loss of a day", rupees(limits.max_daily_loss)],
  ];
}

function KillSwitch({ desk, limits }: { desk: Desk; limits: Limits }) {
  const { questions } = desk.trading;
  return (
    <section aria-label="Kill switch">
      <h3>Kill switch</h3>
      <p>
        {limits.kill_switch
          ? "You have stopped new orders."
          : "New orders are allowed. The switch stops new orders in all your accounts at once."}
      </p>
      <button
        type="button"
        class={limits.kill_switch ? "" : "danger"}
        onClick={() => questions.killSwitch(!limits.kill_switch)}
      >
        {limits.kill_switch ? "Allow new orders …" : "Stop new orders …"}
      </button>
      {limits.loss_lock && (
        <p>New orders are stopped until tomorrow: the day's loss is above your limit.</p>
      )}
      <ul>
        {limits.switches.map((one) => (
          <li key={`${one.scope} ${one.key ?? ""}`}>
            {`${one.scope}${one.key ? ` ${one.key}` : ""}, set by the ${one.set_by} at ${timeOfDay(one.at)}`}
            {one.reason && `: ${one.reason}`}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function AccountView({ desk }: { desk: Desk }) {
  const { accounts, account, questions } = desk.trading;
  const { funds } = accounts.book(account.value).value;
  const limits = accounts.limits(account.value).value;
  return (
    <div class="scroll account">
      {funds !== null && <FigureList label="Funds" figures={fundLines(funds)} />}
      {limits !== null && <KillSwitch desk={desk} limits={limits} />}
      <LinkView desk={desk} />
      {limits !== null && <FigureList label="Limits" figures={limitLines(limits)} />}
      <section aria-label="Paper account">
        <h3>Paper account</h3>
        <p class="muted">Paper orders are filled from the real market, without money.</p>
        <button type="button" onClick={() => questions.resetPaper()}>
          Reset the paper account …
        </button>
      </section>
    </div>
  );
}
