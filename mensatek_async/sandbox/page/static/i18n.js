/** English and Spanish: the browser's language decides, the switch in the page's frame overrides it. */

import { STRINGS } from "./strings.js";

/** @typedef {"en" | "es"} Language */

const KEPT = "mensatek-sandbox-language";
const listeners = new Set();

/** @type {Language} */
let language = initial();

/** @returns {Language} what was chosen before, else what the browser asks for */
function initial() {
  const kept = remembered();
  if (kept === "en" || kept === "es") return kept;
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag === "en" || tag === "es") === "es" ? "es" : "en";
}

/** @returns {string | null} the choice of an earlier visit */
function remembered() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage is switched off
  }
}

/** @returns {Language} the language shown now */
export function current() {
  return language;
}

/**
 * Changes the language.
 *
 * @param {Language} wanted which
 */
export function speak(wanted) {
  language = wanted;
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    // Then it lasts for this visit only.
  }
  translate(document);
  for (const listener of listeners) listener();
}

/** @param {() => void} listener called after the language changed */
export function whenSpoken(listener) {
  listeners.add(listener);
}

/**
 * Words of the page.
 *
 * @param {string} key of the table of strings; `key.one` is taken when `n` is 1
 * @param {Record<string, string | number>} [values] for the places in braces
 * @returns {string} in the language shown now
 */
export function t(key, values = {}) {
  const found = (values.n === 1 && STRINGS[`${key}.one`]) || STRINGS[key];
  if (!found) throw new Error(`No such string: ${key}`);
  return found[language === "es" ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/** @param {number} value @returns {string} with the language's separators */
export function number(value) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 2, useGrouping: "always" }).format(value);
}

/**
 * Puts the words into the frame: `data-t` is an element's text, `data-t-label` its accessible name.
 *
 * @param {ParentNode} root where
 */
export function translate(root) {
  document.documentElement.lang = language;
  document.title = t("title");
  for (const element of root.querySelectorAll("[data-t]"))
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.t ?? "");
  for (const element of root.querySelectorAll("[data-t-label]"))
    element.setAttribute("aria-label", t(/** @type {HTMLElement} */ (element).dataset.tLabel ?? ""));
}
