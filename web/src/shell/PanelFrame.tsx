/** A view beside the desk: its title, and the way back. Escape is the same. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import "./panel.css";

export function PanelFrame({ title, children }: { title: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.target instanceof HTMLInputElement) return;
    location.hash = "desk";
  };
  return (
    <section class="panel" aria-labelledby="panel-title" onKeyDown={onKeyDown}>
      <div class="title">
        <h2 id="panel-title" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <a href="#desk">Back to the watchlist</a>
      </div>
      {children}
    </section>
  );
}
