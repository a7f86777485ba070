/** Search and filters over the list. What they ask for is kept in the store, so other parts can ask too. */

import { fill, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { button, choice, field, statusChoice } from "./parts.js";
import { PHASES } from "./statuses.js";
import { get, set } from "./store.js";

const TYPING = 200;
const NONE = { q: "", phase: "", status: "", reference: "", message_id: "" };

/** Takes all filters away. */
export function clearFilters() {
  set({ filters: { ...NONE } });
}

/** @param {() => void} changed @returns {HTMLElement} the switch between texts and conversations */
export function modes(changed) {
  const box = h("div", { class: "switch", role: "group", "aria-label": t("list.by") });
  const draw = () => {
    const mode = get("mode") ?? "texts";
    fill(
      box,
      ["texts", "phones"].map((name) =>
        button(t(`mode.${name}`), () => {
          set({ mode: name });
          draw();
          box.querySelector('[aria-pressed="true"]')?.focus();
          changed();
        }, { kind: "quiet", pressed: mode === name }),
      ),
    );
  };
  draw();
  return box;
}

/** @returns {{ form: HTMLElement, used: () => boolean, draw: () => void, focus: () => void }} search and filters */
export function buildFilters() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const later = () => {
    clearTimeout(typing);
    typing = setTimeout(apply, TYPING);
  };
  const q = h("input", { type: "search", id: "search", placeholder: t("search.hint"), "aria-label": t("search"), autocomplete: "off", spellcheck: "false", on: { input: later } });
  /** @type {[string, string][]} */
  const phases = [["", t("any")], ...PHASES.map((phase) => /** @type {[string, string]} */ ([phase, t(`phase.${phase}`)]))];
  const phase = choice(phases, "", { "aria-label": t("status"), on: { change: apply } });
  const status = statusChoice(t("any"), null, { on: { change: apply } });
  const reference = h("input", { type: "text", autocomplete: "off", on: { input: later } });
  const messageId = h("input", { type: "text", inputmode: "numeric", autocomplete: "off", on: { input: later } });
  const more = h(
    "details",
    { class: "more" },
    h("summary", {}, t("filter.more")),
    h("div", { class: "more-fields" }, field(t("status.exact"), status), field(t("reference"), reference), field(t("message.id"), messageId), button(t("filter.clear"), clearFilters)),
  );
  const form = h(
    "form",
    { class: "filters", role: "search", on: { submit: (/** @type {Event} */ event) => { event.preventDefault(); apply(); } } },
    h("div", { class: "search-box" }, icon("search"), q),
    phase,
    more,
  );
  function apply() {
    clearTimeout(typing);
    const id = messageId.value.replace(/\D/g, "");
    set({ filters: { q: q.value.trim(), phase: phase.value, status: status.value, reference: reference.value.trim(), message_id: id } });
  }
  function draw() {
    const now = get("filters");
    for (const [input, value] of [[q, now.q], [phase, now.phase], [status, now.status], [reference, now.reference], [messageId, now.message_id]])
      if (input !== document.activeElement) input.value = value;
    if (now.status || now.reference || now.message_id) more.open = true;
  }
  draw();
  const used = () => Object.values(get("filters")).some(Boolean);
  return { form, used, draw, focus: () => q.focus() };
}
