/** The switch that stops new orders of all users, and the switches that are on. */
import { useRef } from "preact/hooks";
import { dateTime } from "../ui/format.ts";
import { Trouble } from "./FeedFigures.tsx";
import type { OperatorStore } from "./operator.ts";

const MOST_REASON_CHARS = 200;

interface KillSwitchProps {
  readonly store: OperatorStore;
  readonly attempt: (work: () => Promise<void>) => Promise<void>;
}

export function KillSwitch({ store, attempt }: KillSwitchProps) {
  const form = useRef<HTMLFormElement>(null);
  const switches = store.switches.value;
  const isOn = switches.value?.some((one) => one.scope === "global") ?? false;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(form.current ?? undefined).get("reason")).trim();
    await attempt(() => store.setGlobalSwitch(!isOn, reason));
    form.current?.reset();
  };
  return (
    <>
      <h3>Kill switch</h3>
      <Trouble part={switches} />
      <p role="status">
        {switches.value === null && "Reading …"}
        {switches.value !== null &&
          (isOn ? "New orders of all users are stopped." : "New orders are allowed.")}
      </p>
      <ul>
        {switches.value?.map((one) => (
          <li key={`${one.scope} ${one.key ?? ""}`}>
            {one.scope} {one.key} since {dateTime(one.at)}: {one.reason}
          </li>
        ))}
      </ul>
      <form ref={form} onSubmit={submit}>
        <label>
          Reason, which users see
          <input
            name="reason"
            type="text"
            required
            pattern=".*\S.*"
            maxLength={MOST_REASON_CHARS}
            autocomplete="off"
          />
        </label>
        <button type="submit" disabled={switches.value === null}>
          {isOn ? "Allow new orders again" : "Stop new orders of all users"}
        </button>
      </form>
    </>
  );
}
