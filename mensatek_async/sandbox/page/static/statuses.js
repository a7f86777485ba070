/** Delivery statuses: their words, and the tone they are shown in. */

import { current, t } from "./i18n.js";
import { get } from "./store.js";
import { STRINGS } from "./strings.js";

/** @typedef {{ code: number, es: string, en: string, phase: string }} Status */

const TONES = { delivered: "good", pending: "wait", retrying: "wait", failed: "bad", scheduled: "plan", contract: "plan" };
const GOOD = new Set([17, 180, 181]);
const BAD = new Set([190, 195]);

export const PHASES = ["scheduled", "pending", "retrying", "delivered", "contract", "failed", "cancelled"];

/** @returns {Status[]} every status the sandbox knows */
export function statuses() {
  return get("state")?.statuses ?? [];
}

/** @param {number} code @returns {Status} the status, made up when nobody knows it */
export function statusOf(code) {
  const known = statuses().find((status) => status.code === code);
  return known ?? { code, es: `Estado ${code}`, en: `Status ${code}`, phase: "unknown" };
}

/** @param {number} code @returns {string} the provider's words */
export function wordsOf(code) {
  return statusOf(code)[current()];
}

/** @param {number} code @param {string} phase @returns {string} one or two words for narrow places */
export function shortWordsOf(code, phase) {
  const own = `status.${code}`;
  if (own in STRINGS) return t(own);
  return `phase.${phase}` in STRINGS ? t(`phase.${phase}`) : t("phase.unknown");
}

/** @param {number} code @param {string} phase @returns {string} good, wait, bad, plan or plain */
export function toneOf(code, phase) {
  if (GOOD.has(code)) return "good";
  if (BAD.has(code)) return "bad";
  return /** @type {Record<string, string>} */ (TONES)[phase] ?? "plain";
}
