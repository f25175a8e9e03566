/** The names of the user's watchlists as tabs, with new, rename and remove. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type Action, actionOf } from "../ui/keys.ts";
import { GRID } from "../ui/places.ts";
import { MOST_NAME_CHARS } from "./saved_list.ts";
import type { Watchlist } from "./watchlist.ts";

type Dialog = "none" | "new" | "rename" | "remove";

const tabId = (id: string): string => `list-${id}`;

export function ListBar({ watchlist }: { watchlist: Watchlist }) {
  const dialog = useSignal<Dialog>("none");
  const focusings = useSignal(0);
  const shown = watchlist.list.value;
  const removed = watchlist.removed.value;
  const requested = focusings.value;
  // A tab that moves loses the focus: it gets it back before the next key is read.
  useLayoutEffect(() => {
    if (requested > 0) document.getElementById(tabId(watchlist.list.peek().list_id))?.focus();
  }, [requested]);
  const act = (action: Action) => {
    if (action === "previous_list") watchlist.stepList(-1);
    else if (action === "next_list") watchlist.stepList(1);
    else if (action === "move_list_left") watchlist.moveList(-1);
    else if (action === "move_list_right") watchlist.moveList(1);
    else if (action === "new_list") dialog.value = "new";
    else if (action === "rename_list") dialog.value = "rename";
    else if (action === "remove_list") dialog.value = "remove";
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionOf("lists", event);
    if (action === null) return;
    event.preventDefault();
    act(action);
    if (dialog.peek() === "none") focusings.value += 1;
  };
  const restore = () => {
    watchlist.restore();
    document.getElementById(GRID)?.focus();
  };
  const close = () => {
    dialog.value = "none";
    focusings.value += 1;
  };
  return (
    <div class="lists">
      <div role="tablist" aria-label="Watchlists" onKeyDown={onKeyDown}>
        {watchlist.lists.value.map(({ list_id: id, name }) => (
          <button
            key={id}
            id={tabId(id)}
            type="button"
            role="tab"
            aria-selected={id === shown.list_id}
            aria-controls={GRID}
            tabIndex={id === shown.list_id ? 0 : -1}
            onClick={() => watchlist.show(id)}
          >
            {name}
          </button>
        ))}
      </div>
      {dialog.value === "none" && (
        <span class="actions">
          <button type="button" onClick={() => act("new_list")}>
            New list
          </button>
          <button type="button" onClick={() => act("rename_list")}>
            Rename
          </button>
          <button type="button" onClick={() => act("remove_list")}>
            Remove list
          </button>
          {removed !== null && (
            <button type="button" onClick={restore}>
              Put {watchlist.names.value.get(removed)?.symbol ?? removed} back
            </button>
          )}
        </span>
      )}
      <span role="status" class="muted">
        {watchlist.isStoring.value && "Storing …"}
      </span>
      {dialog.value === "new" && (
        <NameForm
          label="Name of the new list"
          name=""
          onClose={close}
          onName={(name) => watchlist.create(name)}
        />
      )}
      {dialog.value === "rename" && (
        <NameForm
          label="Name of the list"
          name={shown.name}
          onClose={close}
          onName={(name) => watchlist.rename(name)}
        />
      )}
      {dialog.value === "remove" && (
        <Removal
          question={`Remove “${shown.name}” with ${shown.keys.length} instruments?`}
          onClose={close}
          onRemove={() => watchlist.removeList()}
        />
      )}
    </div>
  );
}

interface NameFormProps {
  readonly label: string;
  readonly name: string;
  readonly onName: (name: string) => void;
  readonly onClose: () => void;
}

function NameForm({ label, name, onName, onClose }: NameFormProps) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.select(), []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const chosen = input.current?.value.trim() ?? "";
    if (chosen !== "") onName(chosen);
    onClose();
  };
  return (
    <form onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <label>
        <span class="unseen">{label}</span>
        <input
          ref={input}
          type="text"
          placeholder={label}
          defaultValue={name}
          maxLength={MOST_NAME_CHARS}
          required
          autocomplete="off"
        />
      </label>
      <button type="submit" class="primary">
        Save
      </button>
      <button type="button" onClick={onClose}>
        Cancel
      </button>
    </form>
  );
}

interface RemovalProps {
  readonly question: string;
  readonly onRemove: () => void;
  readonly onClose: () => void;
}

function Removal({ question, onRemove, onClose }: RemovalProps) {
  const keep = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => keep.current?.focus(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onRemove();
        onClose();
      }}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <span role="alert">{question}</span>
      <button type="submit">Remove</button>
      <button type="button" ref={keep} onClick={onClose}>
        Keep
      </button>
    </form>
  );
}
