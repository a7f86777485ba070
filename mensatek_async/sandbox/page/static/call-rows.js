/** One row of the log: a call, or a callback. */

import { h } from "./dom.js";
import { phoneOf, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { chip, tag } from "./parts.js";
import { to } from "./router.js";
import { statusOf } from "./statuses.js";

/** @type {Record<string, string>} */
const TONES = { work: "good", read: "plain", quick: "wait", wrong: "bad", blocked: "bad", fault: "wait" };

/** @param {string} verdict @returns {HTMLElement} what the guard thinks of a call */
export function verdictTag(verdict) {
  return tag(t(`verdict.${verdict}`), TONES[verdict]);
}

/** @param {any} item @returns {HTMLElement} one call */
export function callRow(item) {
  const result = item.res === null || item.res === undefined ? "" : `Res ${item.res}`;
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row-link", href: to("calls", item.number) },
      h("span", { class: "row-top" }, h("strong", {}, item.operation), h("time", { datetime: item.at }, timeOf(item.at))),
      h(
        "span",
        { class: "row-chips" },
        verdictTag(item.verdict),
        h("span", { class: "mono soft" }, item.http === null ? t("dropped") : `HTTP ${item.http}`),
        result ? h("span", { class: "mono soft" }, result) : null,
        item.fault ? tag(item.fault, "wait") : null,
        item.unknown ? tag(t("unknown.parameters", { n: item.unknown }), "wait") : null,
      ),
    ),
  );
}

/** @param {any} item @returns {HTMLElement} one callback */
export function callbackRow(item) {
  const state = item.taken ? tag(t("callback.taken"), "good") : item.waiting ? tag(t("callback.waiting"), "wait") : tag(t("callback.lost"), "bad");
  const { Movil: phone, Telefono: opener, Remitente: writer, Resultado: result } = item.fields;
  const about = item.service === "SMSRECIBIDO" ? writer : phone ?? opener ?? "";
  const status = result === undefined ? null : chip(Number(result), statusOf(Number(result)).phase);
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row-link", href: to("calls", "callbacks", item.number) },
      h("span", { class: "row-top" }, h("strong", {}, item.service), h("span", { class: "soft" }, phoneOf(String(about)))),
      h("span", { class: "row-chips" }, status, state, item.repeated ? tag(t("callback.repeated")) : null, h("span", { class: "mono soft" }, item.answers.join(" "))),
    ),
  );
}
