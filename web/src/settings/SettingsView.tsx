/** The settings of this browser: colours, motion, keys. */
import type { Signal } from "@preact/signals-core";
import type { Preferences } from "../ui/preferences.ts";
import { KeyTable } from "./KeyTable.tsx";

export function SettingsView({ preferences }: { preferences: Signal<Preferences> }) {
  const set = (change: Partial<Preferences>) => {
    preferences.value = { ...preferences.peek(), ...change };
  };
  const { theme, colours, motion } = preferences.value;
  return (
    <>
      <p class="muted">These settings are kept in this browser.</p>
      <Choice
        title="Theme"
        chosen={theme}
        choices={[
          ["system", "As the system"],
          ["light", "Light"],
          ["dark", "Dark"],
        ]}
        onChoose={(value) => set({ theme: value })}
      />
      <Choice
        title="Up and down"
        chosen={colours}
        choices={[
          ["red_green", "Green and red"],
          ["blue_orange", "Blue and orange"],
        ]}
        onChoose={(value) => set({ colours: value })}
      />
      <Choice
        title="Motion"
        chosen={motion}
        choices={[
          ["system", "As the system"],
          ["reduced", "No flashes"],
        ]}
        onChoose={(value) => set({ motion: value })}
      />
      <KeyTable map={preferences.value.keyMap} onChange={(keyMap) => set({ keyMap })} />
    </>
  );
}

interface ChoiceProps<T extends string> {
  readonly title: string;
  readonly chosen: T;
  readonly choices: readonly (readonly [T, string])[];
  readonly onChoose: (value: T) => void;
}

function Choice<T extends string>({ title, chosen, choices, onChoose }: ChoiceProps<T>) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {choices.map(([value, text]) => (
        <label key={value} class="choice">
          <input
            type="radio"
            name={title}
            checked={value === chosen}
            onChange={() => onChoose(value)}
          />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
