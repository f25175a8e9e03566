/** The question for the password, before something that the server guards by it. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Reauthentication } from "../session/reauthentication.ts";

export function PasswordDialog({ reauthentication }: { reauthentication: Reauthentication }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="password-title"
      onClose={() => reauthentication.answer(null)}
    >
      <form
        class="sheet"
        onSubmit={(event) => {
          event.preventDefault();
          reauthentication.answer(input.current?.value ?? "");
          dialog.current?.close(); // which gives the focus back
        }}
      >
        <h2 id="password-title">Your password, please</h2>
        <p>This change needs the password again.</p>
        <label>
          Password
          <input ref={input} type="password" autocomplete="current-password" required />
        </label>
        <div class="buttons">
          <button type="submit" class="primary">
            Continue
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
