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

/** @returns {boolean} whether conversations are listed instead of texts */
export function byPhone() {
  return get("mode") === "phones";
}

/** The switch between texts and conversations. */
export class Modes {
  box = h("div", { class: "switch", role: "group", "aria-label": t("list.by") });

  constructor() {
    this.draw();
  }

  /** Shows what is listed now. */
  draw() {
    const focused = this.box.contains(document.activeElement);
    fill(
      this.box,
      ["texts", "phones"].map((mode) =>
        button(t(`mode.${mode}`), () => set({ mode }), { kind: "quiet", pressed: (mode === "phones") === byPhone() }),
      ),
    );
    if (focused) this.box.querySelector('[aria-pressed="true"]').focus();
  }
}

/** Search and filters; conversations are searched only. */
export class Filters {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;

  constructor() {
    const later = { on: { input: () => this.#later() }, autocomplete: "off" };
    const now = { on: { change: () => this.#apply() } };
    /** @type {[string, string][]} */
    const phases = PHASES.map((phase) => [phase, t(`phase.${phase}`)]);
    this.q = h("input", { type: "search", id: "search", placeholder: t("search.hint"), "aria-label": t("search"), spellcheck: "false", ...later });
    this.phase = choice([["", t("any")], ...phases], "", { "aria-label": t("status"), ...now });
    this.status = statusChoice(t("any"), null, now);
    this.reference = h("input", { type: "text", ...later });
    this.messageId = h("input", { type: "text", inputmode: "numeric", ...later });
    this.more = h(
      "details",
      { class: "more" },
      h("summary", {}, t("filter.more")),
      h(
        "div",
        { class: "more-fields" },
        field(t("status.exact"), this.status),
        field(t("reference"), this.reference),
        field(t("message.id"), this.messageId),
        button(t("filter.clear"), clearFilters),
      ),
    );
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#apply();
    };
    this.form = h("form", { class: "filters", role: "search", on: { submit } }, h("div", { class: "search-box" }, icon("search"), this.q), this.phase, this.more);
    this.draw();
  }

  #later() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#apply(), TYPING);
  }

  #apply() {
    clearTimeout(this.#typing);
    const filters = {
      q: this.q.value.trim(),
      phase: this.phase.value,
      status: this.status.value,
      reference: this.reference.value.trim(),
      message_id: this.messageId.value.replace(/\D/g, ""),
    };
    set({ filters });
  }

  /** Shows what is asked for now. */
  draw() {
    const { q, phase, status, reference, message_id: id } = get("filters");
    /** @type {[any, string][]} */
    const pairs = [[this.q, q], [this.phase, phase], [this.status, status], [this.reference, reference], [this.messageId, id]];
    for (const [input, value] of pairs) if (input !== document.activeElement) input.value = value;
    if (status || reference || id) this.more.open = true;
    this.phase.hidden = this.more.hidden = byPhone();
  }

  /** @returns {boolean} whether anything is left out of the list */
  get used() {
    const { q, ...others } = get("filters");
    return Boolean(q) || (!byPhone() && Object.values(others).some(Boolean));
  }
}
