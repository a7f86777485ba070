/** Single-key shortcuts. They can be turned off, and never act while somebody types. */

import { t } from "./i18n.js";

const KEPT = "mensatek-sandbox-shortcuts";
let on = localStorageSays() !== "off";

/** @returns {string | null} the choice of an earlier visit */
function localStorageSays() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** @returns {boolean} whether single keys act */
export function shortcutsOn() {
  return on;
}

/** @param {boolean} wanted whether single keys shall act */
export function turnShortcuts(wanted) {
  on = wanted;
  try {
    localStorage.setItem(KEPT, wanted ? "on" : "off");
  } catch {
    // Then it lasts for this visit only.
  }
}

/** @returns {[string[], string][]} keys and what they do, for the help */
export function shortcuts() {
  return [
    [["1", "–", "5"], t("key.sections")],
    [["/"], t("key.search")],
    [["J", "K"], t("key.walk")],
    [["↑", "↓", "Home", "End"], t("key.list")],
    [["Enter"], t("key.open")],
    [["R"], t("key.reply")],
    [["Esc"], t("key.escape")],
    [["?"], t("key.help")],
  ];
}

/**
 * Listens for shortcuts.
 *
 * @param {Record<string, () => unknown>} actions by key, as the browser names it
 */
export function listenForKeys(actions) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
    if (event.key !== "Escape" && (typing || !on)) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
}

/**
 * Lets the arrow keys walk along a list of links or buttons; the list is one stop of the Tab key.
 *
 * @param {HTMLElement} list whose
 * @param {string} selector of what can have the focus
 */
export function walkable(list, selector) {
  const all = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
  list.addEventListener("keydown", (event) => {
    const items = all();
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || next === undefined || !items[next]) return;
    event.preventDefault();
    items[next].focus();
  });
  list.addEventListener("focusin", (event) => {
    const item = event.target instanceof Element ? event.target.closest(selector) : null;
    if (item) tidyStops(all(), /** @type {HTMLElement} */ (item));
  });
}

/**
 * Leaves one item of a list that the Tab key stops at.
 *
 * @param {HTMLElement[]} items all
 * @param {HTMLElement | undefined} stop the one; the first when not given
 */
export function tidyStops(items, stop) {
  const chosen = stop && items.includes(stop) ? stop : items[0];
  for (const item of items) item.tabIndex = item === chosen ? 0 : -1;
}
