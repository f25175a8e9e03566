/** The question before a command, and what became of it. */

import { sentence } from "../../api/problems.ts";
import type { Desk } from "../../desk/desk.ts";
import type { Question } from "../question.ts";
import { commandText, isUnderway } from "../words.ts";
import { Dialog } from "./Dialog.tsx";

export function ConfirmDialog({ desk, question }: { desk: Desk; question: Question }) {
  const { questions, screens } = desk.trading;
  const state = question.command.state.value;
  const isBusy = isUnderway(state);
  return (
    <Dialog
      title={question.title}
      class={`question ${question.account ?? ""}`}
      onClose={() => screens.ask(null)}
    >
      <p>{question.text()}</p>
      <p role="alert" class="trouble">
        {state.kind === "refused" ? sentence(state.error) : commandText(state)}
      </p>
      <div class="buttons">
        {state.kind !== "refused" && (
          <button
            type="button"
            class="primary"
            data-first
            disabled={isBusy}
            onClick={() => void questions.confirm(question)}
          >
            {state.kind === "unknown" ? "Ask again" : question.act}
          </button>
        )}
        <button type="button" onClick={() => screens.ask(null)}>
          {state.kind === "new" ? "No" : "Close"}
        </button>
      </div>
    </Dialog>
  );
}
