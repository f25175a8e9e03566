/** The keyboard map. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { bindings, keyMap, type Place } from "../ui/keys.ts";

const PLACES: readonly (readonly [Place, string])[] = [
  ["anywhere", "Anywhere"],
  ["list", "In the watchlist"],
  ["lists", "On the names of the watchlists"],
  ["table", "In tables of orders and positions"],
  ["orders", "On an order"],
  ["positions", "On a position or holding"],
  ["search", "In the search"],
  ["instrument", "In an instrument"],
];

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keys</h2>
      {PLACES.map(([place, title]) => (
        <section key={place}>
          <h3>{title}</h3>
          <dl>
            {bindings()
              .filter((one) => one.place === place)
              .map(({ key, meaning }) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
      {!keyMap.value.areCharactersOn && (
        <p>Keys that are single characters are off. The settings turn them on.</p>
      )}
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
