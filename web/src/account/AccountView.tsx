/** The account: password, sessions, log out. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Client } from "../api/client.ts";
import { sentence } from "../api/problems.ts";
import type { Reauthentication } from "../session/reauthentication.ts";
import { dateTime } from "../ui/format.ts";
import { AccountStore, type LoginSession } from "./account.ts";
import { agentText } from "./agent.ts";

interface AccountViewProps {
  readonly client: Client;
  readonly reauthentication: Reauthentication;
  readonly email: string;
}

export function AccountView({ client, reauthentication, email }: AccountViewProps) {
  const account = useMemo(
    () => new AccountStore((path, options) => client.call(path, options), reauthentication),
    [client, reauthentication],
  );
  const told = useSignal<{ text: string; isTrouble: boolean } | null>(null);
  const tell = async (work: () => Promise<string>): Promise<boolean> => {
    told.value = null;
    try {
      told.value = { text: await work(), isTrouble: false };
      return true;
    } catch (error) {
      told.value = { text: sentence(error), isTrouble: true };
      return false;
    }
  };
  useEffect(() => {
    account.read().catch((error: unknown) => {
      told.value = { text: sentence(error), isTrouble: true };
    });
  }, [account]);
  return (
    <>
      <p>You are logged in as {email}.</p>
      <p
        role={told.value?.isTrouble ? "alert" : "status"}
        class={told.value?.isTrouble ? "trouble" : ""}
      >
        {told.value?.text}
      </p>
      <h3>Change the password</h3>
      <PasswordForm
        email={email}
        onChange={(current, next) =>
          tell(async () => {
            const ended = await account.changePassword(current, next);
            return `The password is changed. Other sessions that were ended: ${ended}.`;
          })
        }
      />
      <h3>Sessions</h3>
      <SessionTable
        sessions={account.sessions.value}
        onEnd={(session) =>
          tell(async () => {
            await account.end(session);
            return `The session of ${agentText(session.user_agent)} is ended.`;
          })
        }
      />
      <button
        type="button"
        onClick={() =>
          tell(async () => `Other sessions that were ended: ${await account.endOthers()}.`)
        }
      >
        End all other sessions
      </button>
    </>
  );
}

interface PasswordFormProps {
  readonly email: string;
  readonly onChange: (current: string, next: string) => Promise<boolean>;
}

function PasswordForm({ email, onChange }: PasswordFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const isBusy = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (form.current === null || isBusy.value) return;
    const fields = new FormData(form.current);
    isBusy.value = true;
    const isChanged = await onChange(String(fields.get("current")), String(fields.get("next")));
    isBusy.value = false;
    if (isChanged) form.current?.reset();
  };
  return (
    <form ref={form} onSubmit={submit}>
      <input type="text" name="email" autocomplete="username" value={email} hidden readOnly />
      <label>
        Current password
        <input name="current" type="password" autocomplete="current-password" required />
      </label>
      <label>
        New password
        <input
          name="next"
          type="password"
          autocomplete="new-password"
          required
          aria-describedby="new-password-rule"
        />
      </label>
      <p id="new-password-rule" class="muted">
        At least 15 characters. All other sessions are ended.
      </p>
      <button type="submit" class="primary">
        Change the password
      </button>
    </form>
  );
}

interface SessionTableProps {
  readonly sessions: readonly LoginSession[] | null;
  readonly onEnd: (session: LoginSession) => void;
}

function SessionTable({ sessions, onEnd }: SessionTableProps) {
  if (sessions === null) return <p class="muted">Reading the sessions …</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard
    <section class="scroll" tabIndex={0} aria-label="Sessions">
      <table>
        <thead>
          <tr>
            <th scope="col">Program</th>
            <th scope="col">Address</th>
            <th scope="col">Since</th>
            <th scope="col">Last seen</th>
            <th scope="col">End</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((one) => (
            <tr key={one.session_id}>
              <th scope="row" title={one.user_agent}>
                {agentText(one.user_agent)}
              </th>
              <td>{one.address}</td>
              <td>{dateTime(one.created_at)}</td>
              <td>{dateTime(one.seen_at)}</td>
              <td>
                {one.current ? (
                  "this one"
                ) : (
                  <button type="button" onClick={() => onEnd(one)}>
                    End<span class="unseen"> the session of {agentText(one.user_agent)}</span>
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
