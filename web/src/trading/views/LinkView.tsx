/** The link to the user's Upstox account: its state, a login step by step, and its renewal. */
import { useSignal } from "@preact/signals";
import { sentence } from "../../api/problems.ts";
import type { Desk } from "../../desk/desk.ts";
import { timeOfDay } from "../../ui/format.ts";
import type { OwnApp } from "../account/link.ts";
import type { Link } from "../messages.ts";

function stateText(link: Link): string {
  const who = [link.user_name, link.upstox_user_id].filter(Boolean).join(", ");
  switch (link.state) {
    case "linked":
      return `Linked: ${who}. The login ends at ${timeOfDay(link.expires_at)}.`;
    case "waiting":
      return "Upstox asks you in its app or by WhatsApp: approve it there.";
    case "expired":
      return `The login of ${who || "your account"} has ended. Log in again.`;
    case "unlinked":
      return "No Upstox account is linked.";
  }
}

function text(form: HTMLFormElement, name: string): string {
  return String(new FormData(form).get(name) ?? "").trim();
}

export function LinkView({ desk }: { desk: Desk }) {
  const { accounts } = desk.trading;
  const { link } = accounts;
  const trouble = useSignal("");
  const isBusy = useSignal(false);
  const state = link.state.value;
  const login = link.login.value;

  const act = async (work: () => Promise<void>) => {
    if (isBusy.value) return;
    isBusy.value = true;
    trouble.value = "";
    try {
      await work();
      await accounts.readUpstox(); // which keeps its own trouble
    } catch (error) {
      trouble.value = sentence(error);
    } finally {
      isBusy.value = false;
    }
  };
  const begin = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const client_id = text(form, "client_id");
    const own: OwnApp = { client_id, client_secret: text(form, "client_secret") };
    void act(() => link.begin(client_id === "" ? null : own));
  };
  const finish = (event: SubmitEvent) => {
    event.preventDefault();
    const answer = text(event.currentTarget as HTMLFormElement, "answer");
    void act(() => link.finish(answer));
  };
  return (
    <section aria-label="Upstox account">
      <h3>Upstox account</h3>
      <p role="status">
        {state === null
          ? accounts.trouble.value === null
            ? "Loading …"
            : sentence(accounts.trouble.value)
          : stateText(state)}
      </p>
      {state?.detail && <p>{state.detail}</p>}
      {state !== null && !state.live_trading && (
        <p>The operator of this server does not allow orders at Upstox.</p>
      )}
      <p role="alert" class="trouble">
        {trouble}
      </p>
      {login !== null && (
        <form onSubmit={finish}>
          <p>
            1.{" "}
            <a href={login.login_url} target="_blank" rel="noopener noreferrer">
              Log in at Upstox
            </a>{" "}
            before {timeOfDay(login.expires_at)}. Only you may open this address.
          </p>
          <label>
            2. The text that the page shows after the login
            <input name="answer" required maxLength={621} autocomplete="off" spellcheck={false} />
          </label>
          <button type="submit" class="primary">
            Link the account
          </button>
        </form>
      )}
      <form onSubmit={begin}>
        <details>
          <summary>With an app of my own at Upstox</summary>
          <label>
            API key
            <input name="client_id" maxLength={64} autocomplete="off" spellcheck={false} />
          </label>
          <label>
            API secret
            <input name="client_secret" type="password" maxLength={128} autocomplete="off" />
          </label>
          <p class="muted">
            Upstox allows one app for each user: a new app deletes the others, with their links.
          </p>
        </details>
        <div class="buttons">
          <button type="submit">
            {state?.state === "unlinked" ? "Link an Upstox account" : "Log in at Upstox again"}
          </button>
          {state !== null && state.state !== "unlinked" && (
            <>
              <button type="button" onClick={() => void act(() => link.request())}>
                Let Upstox ask me
              </button>
              <button type="button" onClick={() => void act(() => link.unlink())}>
                Unlink
              </button>
            </>
          )}
          <button type="button" onClick={() => void act(() => link.read())}>
            Refresh
          </button>
        </div>
      </form>
    </section>
  );
}
