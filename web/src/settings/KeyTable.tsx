/** The keyboard map, with another key for each action. */
import { useSignal } from "@preact/signals";
import {
  BINDINGS,
  type Binding,
  bindingId,
  bindings,
  DIGITS,
  holderOf,
  type KeyMap,
  keyName,
  PLACES,
  UNCHANGED,
} from "../ui/keys.ts";

interface KeyTableProps {
  readonly map: KeyMap;
  readonly onChange: (map: KeyMap) => void;
}

const MODIFIERS = ["Alt", "AltGraph", "Control", "Meta", "Shift", "Tab", "CapsLock", "Dead"];

export function KeyTable({ map, onChange }: KeyTableProps) {
  const asking = useSignal<string | null>(null);
  const told = useSignal("");
  const onKeyDown = (binding: Binding, event: KeyboardEvent) => {
    if (asking.value !== bindingId(binding) || MODIFIERS.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    asking.value = null;
    const key = keyName(event);
    const holder = holderOf(binding, key);
    if (event.ctrlKey || event.metaKey) told.value = "Keys with Ctrl are the browser's.";
    else if (holder !== null) told.value = `${key} is taken: ${holder.meaning}.`;
    else {
      told.value = `${key}: ${binding.meaning}.`;
      onChange({ ...map, keys: { ...map.keys, [bindingId(binding)]: key } });
    }
  };
  return (
    <>
      <h3>Keys</h3>
      <label class="choice">
        <input
          type="checkbox"
          checked={map.areCharactersOn}
          onChange={(event) => onChange({ ...map, areCharactersOn: event.currentTarget.checked })}
        />
        Keys that are single characters, such as / and ?
      </label>
      <p class="muted">Press “Change”, and then the new key.</p>
      <p role="status">{told}</p>
      <table class="keys">
        <tbody>
          {bindings().map((one) => (
            <tr key={bindingId(one)}>
              <th scope="row">{one.meaning}</th>
              <td>{PLACES[one.place]}</td>
              <td>
                <kbd>{asking.value === bindingId(one) ? "press a key …" : one.key}</kbd>
              </td>
              <td>
                {one.key !== DIGITS && (
                  <button
                    type="button"
                    onClick={() => {
                      asking.value = bindingId(one);
                    }}
                    onKeyDown={(event) => onKeyDown(one, event)}
                    onBlur={() => {
                      asking.value = null;
                    }}
                  >
                    Change<span class="unseen"> the key of: {one.meaning}</span>
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <button
        type="button"
        disabled={Object.keys(map.keys).length === 0}
        onClick={() => {
          told.value = "";
          onChange({ ...map, keys: UNCHANGED.keys });
        }}
      >
        All {BINDINGS.length} keys as they were
      </button>
    </>
  );
}
