/** A modal dialog: Escape closes it, and the focus returns to where it was. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import "./modal.css";

interface DialogProps {
  readonly title: ComponentChildren;
  readonly class: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** An Enter key that was pressed before the dialog opened, and is still held, does not answer it. */
function ignoreHeldEnter(event: KeyboardEvent): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}

export function Dialog({ title, class: name, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    shown?.showModal();
    shown?.querySelector<HTMLElement>("[data-first]")?.focus();
    shown?.addEventListener("close", onClose);
    return () => {
      // Closed by what it shows: nobody is to be told.
      shown?.removeEventListener("close", onClose);
      shown?.close();
      // The dialog has left the page by now, so the browser gives the focus back to nothing.
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`modal ${name}`}
      aria-labelledby="modal-title"
      onKeyDown={ignoreHeldEnter}
    >
      <h2 id="modal-title">{title}</h2>
      {children}
    </dialog>
  );
}
