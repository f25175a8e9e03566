/** Sign up and log in. The browser's password manager fills and keeps the fields. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Refusal, sentence } from "../api/problems.ts";
import type { Session, SessionState } from "../session/session.ts";
import "./login.css";

const REASONS: Readonly<Record<string, string>> = {
  ended: "Your session has ended. Log in again.",
  logged_out: "You are logged out.",
};

type Reason = Extract<SessionState, { kind: "anonymous" }>["reason"];

export function Login({ session, reason }: { session: Session; reason: Reason }) {
  const trouble = useSignal<{ text: string; field: string | null } | null>(null);
  const isBusy = useSignal(false);
  const form = useRef<HTMLFormElement>(null);

  useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);

  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value || form.current === null) return;
    const isSignUp = (event.submitter as HTMLButtonElement | null)?.value === "signup";
    const fields = new FormData(form.current);
    const email = String(fields.get("email"));
    const password = String(fields.get("password"));
    isBusy.value = true;
    trouble.value = null;
    try {
      await (isSignUp ? session.signUp({ email, password }) : session.logIn({ email, password }));
    } catch (error) {
      trouble.value = {
        text: sentence(error),
        field: error instanceof Refusal ? error.field : null,
      };
      const wrong = error instanceof Refusal && error.field === "email" ? "email" : "password";
      form.current?.querySelector<HTMLInputElement>(`input[name=${wrong}]`)?.focus();
    } finally {
      isBusy.value = false;
    }
  };

  const isWrong = (field: string) => (trouble.value?.field === field ? "true" : "false");
  return (
    <main class="login">
      <form ref={form} onSubmit={enter}>
        <h1>Trade Dad</h1>
        {reason in REASONS && <p role="status">{REASONS[reason]}</p>}
        <label>
          E-mail
          <input
            name="email"
            type="email"
            autocomplete="username"
            required
            aria-invalid={isWrong("email")}
          />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            required
            aria-describedby="password-rule"
            aria-invalid={isWrong("password")}
          />
        </label>
        <p id="password-rule" class="muted">
          A new password has at least 15 characters. A sentence is best.
        </p>
        <p role="alert" class="trouble">
          {trouble.value?.text}
        </p>
        <div class="buttons">
          <button type="submit" value="login" class="primary" disabled={isBusy}>
            Log in
          </button>
          <button type="submit" value="signup" disabled={isBusy}>
            Sign up
          </button>
        </div>
      </form>
    </main>
  );
}
