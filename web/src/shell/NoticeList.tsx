/** Errors, until the user dismisses them, and the offer of a newer page. */
import type { Signal } from "@preact/signals-core";
import type { Notices } from "./notices.ts";

export function NoticeList({
  notices,
  isOutdated,
}: {
  notices: Notices;
  isOutdated: Signal<boolean>;
}) {
  return (
    <div class="notices" role="alert">
      {notices.list.value.map(({ id, text }) => (
        <p key={id}>
          {text}{" "}
          <button type="button" onClick={() => notices.dismiss(id)}>
            Dismiss
          </button>
        </p>
      ))}
      {isOutdated.value && (
        <p>
          This page has a newer version.{" "}
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      )}
    </div>
  );
}
