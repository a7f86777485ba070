/** How near the account is to a block, as the provider counts. */

import { h } from "./dom.js";
import { timeOf } from "./format.js";
import { number, t } from "./i18n.js";
import { card, tag } from "./parts.js";
import { get } from "./store.js";

/** @returns {HTMLElement | null} both counts, and whether the account is blocked */
export function guardView() {
  const guard = get("state")?.guard;
  if (!guard) return null;
  const wrong = t("guard.wrong", { seconds: String(guard.window_seconds) });
  const quick = t("guard.quick", { seconds: String(guard.read_interval) });
  return card(
    t("guard.view"),
    guardLine(guard),
    h("ul", { class: "meters" }, gauge(wrong, guard.wrong_calls, guard.block_after), gauge(quick, guard.quick_reads, guard.block_after)),
    guard.strict ? null : h("p", { class: "soft" }, t("guard.lenient")),
  );
}

/** @param {any} guard of the state @returns {HTMLElement} whether the account is blocked, and until when */
export function guardLine(guard) {
  const until = guard.blocked && guard.blocked_until ? t("guard.until", { time: timeOf(guard.blocked_until) }) : null;
  const state = until ?? (guard.blocked ? t("guard.blocked") : t("guard.open"));
  return h("p", { class: "status-line" }, tag(state, guard.blocked ? "bad" : "good"));
}

/** @param {string} words @param {number} value @param {number} most @returns {HTMLElement} */
function gauge(words, value, most) {
  const meter = h("meter", { min: "0", max: String(most), high: String(most * 0.7), "aria-label": words });
  meter.value = value;
  return h("li", {}, h("span", {}, words), meter, h("span", { class: "mono" }, t("of", { n: value, most: number(most) })));
}
