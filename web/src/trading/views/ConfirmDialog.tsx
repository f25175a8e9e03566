/** The question before a command, and what became of it. */

import { sentence } from "../../api/problems.ts";
import type { Desk } from "../../desk/desk.ts";
import type { CommandState } from "../command.ts";
import type { Question } from "../question.ts";
import { Dialog } from "./Dialog.tsx";

function stateText(state: CommandState<string>): string {
  if (state.kind === "sending") return "Sending …";
  if (state.kind === "refused") return sentence(state.error);
  if (state.kind !== "unknown") return "";
  return state.isAsking
    ? "Not known yet: no answer has come. Asking again …"
    : "Not known yet: no answer has come. Look at your orders, or ask again: it is done once at most.";
}

export function ConfirmDialog({ desk, question }: { desk: Desk; question: Question }) {
  const { questions, screens } = desk.trading;
  const state = question.command.state.value;
  const isBusy = state.kind === "sending" || (state.kind === "unknown" && state.isAsking);
  return (
    <Dialog
      title={question.title}
      class={`question ${question.account ?? ""}`}
      onClose={() => screens.ask(null)}
    >
      <p>{question.text}</p>
      <p role="alert" class="trouble">
        {stateText(state)}
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
