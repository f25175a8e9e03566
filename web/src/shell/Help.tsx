/** The keyboard map. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { bindings, keyMap, PLACES } from "../ui/keys.ts";

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      {/* It has the focus, to which the dialog scrolls: it stands at the top. */}
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
      <h2 id="help-title">Keys</h2>
      {Object.entries(PLACES).map(([place, title]) => (
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
    </dialog>
  );
}
