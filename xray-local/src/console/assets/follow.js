// Follows a trace that is not complete: asks for its revision while the page is seen, and writes anew what has changed.

import { all, localise } from "./base.js";

const PAUSE = 1500;
// A trace without missing parts is followed for a moment, since segments of other services come later.
const QUIET = 20;
const PATIENCE = 600;

// `isOpen` says whether parts are missing; `changed` is called when the trace has another revision.
export function follow(id, revision, isOpen, changed) {
  let shown = revision;
  let quiet = 0;

  async function look() {
    if (!document.hidden && (quiet += 1) <= (isOpen() ? PATIENCE : QUIET)) {
      const answer = await fetch(`/console/trace/${id}/revision`).catch(() => ({ ok: false }));
      const current = answer.ok ? (await answer.json()).revision : shown;
      if (current !== shown) {
        const page = await fetch(`/trace/${id}`).catch(() => ({ ok: false }));
        if (page.ok) {
          const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
          for (const part of all("[data-part]")) {
            const other = fresh.getElementById(part.id);
            if (!other) continue;
            localise(other);
            part.replaceChildren(...other.childNodes);
          }
          await changed();
          shown = current;
          quiet = 0;
        }
      }
    }
    setTimeout(look, PAUSE);
  }

  setTimeout(look, PAUSE);
}
