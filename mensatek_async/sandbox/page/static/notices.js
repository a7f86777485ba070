/** What happened, said: short notices that are read out too, and troubles in words. */

import { Problem } from "./api.js";
import { fill, find, h } from "./dom.js";
import { t } from "./i18n.js";
import { STRINGS } from "./strings.js";

const STAYS = 5000;
const MOST = 3;

/**
 * Shows a notice for some seconds; screen readers read it out.
 *
 * @param {string} words what to say
 * @param {"good" | "bad"} [tone] how
 */
export function notice(words, tone = "good") {
  const toasts = find("#toasts");
  const toast = h("p", { class: `toast ${tone}` }, words);
  toasts.append(toast);
  while (toasts.children.length > MOST) toasts.firstElementChild.remove();
  setTimeout(() => toast.remove(), tone === "bad" ? 2 * STAYS : STAYS);
}

/** @param {string} words only screen readers get them */
export function announce(words) {
  fill(find("#announcer"), words);
}

/** @param {unknown} error @returns {string} in the page's language, the sandbox's own sentence after it */
export function wordsOfTrouble(error) {
  if (!(error instanceof Problem)) return `${t("error.unknown")} ${error}`;
  const key = `error.${error.code}`;
  return [t(key in STRINGS ? key : "error.unknown"), error.message].filter(Boolean).join(" ");
}

/**
 * Runs something the sandbox does, with its button busy meanwhile.
 *
 * @param {HTMLElement} control what started it
 * @param {() => Promise<unknown>} work what to do
 * @param {string} done what to say then, "" for nothing
 * @returns {Promise<boolean>} whether it worked
 */
export async function attempt(control, work, done) {
  if (control.getAttribute("aria-busy") === "true") return false;
  control.setAttribute("aria-busy", "true");
  try {
    await work();
    if (done) notice(done);
    return true;
  } catch (error) {
    notice(wordsOfTrouble(error), "bad");
    return false;
  } finally {
    control.removeAttribute("aria-busy");
  }
}
