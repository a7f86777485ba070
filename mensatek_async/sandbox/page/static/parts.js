/** The small parts that all views are made of. */

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { attempt } from "./notices.js";
import { shortWordsOf, statuses, toneOf, wordsOf } from "./statuses.js";
import { current } from "./i18n.js";

let numbered = 0;

/** @param {string} name @returns {string} an id nobody else has */
export function newId(name) {
  numbered += 1;
  return `${name}-${numbered}`;
}

/**
 * A button.
 *
 * @param {string} words on it
 * @param {() => unknown} press what it does
 * @param {{ kind?: string, icon?: string, label?: string, focus?: string, pressed?: boolean }} [look] `kind` is
 *   main, quiet, danger or plain; `label` its accessible name when the words say too little
 * @returns {HTMLButtonElement} the button
 */
export function button(words, press, look = {}) {
  const focus = look.focus ? { focus: look.focus } : {};
  return h(
    "button",
    {
      type: "button",
      class: `button ${look.kind ?? "plain"}`,
      "aria-label": look.label,
      "aria-pressed": look.pressed === undefined ? null : String(look.pressed),
      data: focus,
      on: { click: press },
    },
    look.icon ? icon(look.icon) : null,
    words ? h("span", {}, words) : null,
  );
}

/**
 * A button for something the sandbox does: busy meanwhile, and what comes of it is said.
 *
 * @param {string} words on it
 * @param {() => Promise<unknown>} work what it does
 * @param {string} done what to say then, "" for nothing
 * @param {{ kind?: string, icon?: string, label?: string, focus?: string }} [look] as `button`
 * @returns {HTMLButtonElement} the button
 */
export function worker(words, work, done, look = {}) {
  const made = button(words, () => attempt(made, work, done), look);
  return made;
}

/**
 * An input with its label.
 *
 * @param {string} label above it
 * @param {HTMLElement} input gets an id
 * @param {string} [hint] below it
 * @returns {HTMLElement} both
 */
export function field(label, input, hint = "") {
  input.id ||= newId("field");
  const told = hint ? h("p", { class: "hint", id: `${input.id}-hint` }, hint) : null;
  if (told) input.setAttribute("aria-describedby", told.id);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input, told);
}

/**
 * A list to choose from.
 *
 * @param {[string, string][]} options value and words
 * @param {string} chosen the value
 * @param {Record<string, unknown>} [props] of the element
 * @returns {HTMLSelectElement} the list
 */
export function choice(options, chosen, props = {}) {
  const made = h(
    "select",
    props,
    options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)),
  );
  made.value = chosen;
  return made;
}

/** @param {number} code @param {string} phase @returns {HTMLElement} a status: number, word and tone */
export function chip(code, phase) {
  return h(
    "span",
    { class: `chip ${toneOf(code, phase)}`, title: wordsOf(code) },
    h("span", { class: "chip-code" }, code),
    " ",
    shortWordsOf(code, phase),
  );
}

/** @param {string} words @param {string} [tone] @returns {HTMLElement} a chip without a number */
export function tag(words, tone = "plain") {
  return h("span", { class: `chip ${tone}` }, words);
}

/**
 * The statuses to choose from, grouped.
 *
 * @param {string} none words for no choice, "" when one must be chosen
 * @param {number | null} chosen the one chosen now
 * @param {Record<string, unknown>} [props] of the element
 * @returns {HTMLSelectElement} the list
 */
export function statusChoice(none, chosen, props = {}) {
  /** @type {Map<string, HTMLElement[]>} */
  const groups = new Map();
  for (const status of statuses()) {
    const option = h("option", { value: status.code, selected: status.code === chosen }, `${status.code} ${status[current()]}`);
    groups.set(status.phase, [...(groups.get(status.phase) ?? []), option]);
  }
  const made = h(
    "select",
    props,
    none ? h("option", { value: "" }, none) : null,
    [...groups].map(([phase, options]) => h("optgroup", { label: t(`phase.${phase}`) }, options)),
  );
  if (chosen === null && none) made.value = "";
  return made;
}

/** @param {string} title @param {string} words @param {...Node} more @returns {HTMLElement} what stands where nothing is yet */
export function empty(title, words, ...more) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", {}, words), more);
}

/** @param {[string, import("./dom.js").Child | import("./dom.js").Child[]][]} pairs @returns {HTMLElement} terms and what they are */
export function terms(pairs) {
  return h(
    "dl",
    { class: "terms" },
    pairs.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

/**
 * A part of a view with a heading.
 *
 * @param {string} title its heading
 * @param {...(import("./dom.js").Child | import("./dom.js").Child[])} children what is in it
 * @returns {HTMLElement} the part
 */
export function card(title, ...children) {
  const id = newId("card");
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/** @param {string} url @param {string} words @param {string} [name] @param {string} [label] @returns {HTMLElement} a link that saves a file */
export function download(url, words, name = "", label = undefined) {
  const shown = words ? h("span", {}, words) : null;
  return h("a", { class: "button plain", href: url, download: name, title: label, "aria-label": label }, icon("download"), shown);
}
