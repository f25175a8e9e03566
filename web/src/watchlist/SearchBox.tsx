/** The search: a combobox whose results are chosen by arrows and Enter, or by click. */
import { sentence } from "../api/problems.ts";
import type { Desk } from "../desk/desk.ts";
import { actionOf } from "../ui/keys.ts";
import { focusOn, GRID, SEARCH } from "../ui/places.ts";
import type { InstrumentName } from "./watchlist.ts";

const RESULTS = "search-results";
const optionId = (index: number): string => `search-result-${index}`;

export function SearchBox({ desk }: { desk: Desk }) {
  const { search, watchlist } = desk;
  const state = search.state.value;
  const results = state.kind === "found" ? state.results : [];
  const active = state.kind === "found" && results.length > 0 ? optionId(state.active) : undefined;

  const add = (instrument: InstrumentName | null) => {
    if (instrument === null) return;
    watchlist.add(instrument);
    search.close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionOf("search", event);
    if (action === null) return;
    event.preventDefault();
    if (action === "next_result") search.step(1);
    else if (action === "previous_result") search.step(-1);
    else if (action === "choose") add(search.chosen());
    else {
      search.close();
      focusOn(GRID);
    }
  };
  return (
    <div class="search">
      <label>
        Add an instrument
        <input
          id={SEARCH}
          type="text"
          role="combobox"
          placeholder="reliance, nifty 24000 ce …"
          autocomplete="off"
          spellcheck={false}
          maxLength={64}
          value={search.words}
          aria-expanded={results.length > 0}
          aria-controls={RESULTS}
          aria-autocomplete="list"
          aria-activedescendant={active}
          onInput={(event) => search.type(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </label>
      <p role="status" class="muted">
        {state.kind === "searching" && "Searching …"}
        {state.kind === "failed" && sentence(state.error)}
        {state.kind === "found" &&
          results.length === 0 &&
          `No instrument matches “${search.words.value.trim()}”.`}
        {state.kind === "found" && state.missing && `No strike ${state.missing}: choose another.`}
      </p>
      <ul id={RESULTS} role="listbox" aria-label="Instruments found" hidden={results.length === 0}>
        {results.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys
          // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus
          <li
            key={one.key}
            id={optionId(index)}
            role="option"
            aria-selected={optionId(index) === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => add(one)}
          >
            <b>{one.symbol}</b> <span class="muted">{`${one.name} · ${one.segment}`}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
