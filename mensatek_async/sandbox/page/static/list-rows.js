/** One row of the list: a text, or a conversation. */

import { h } from "./dom.js";
import { phoneOf, shortOf } from "./format.js";
import { t } from "./i18n.js";
import { chip, tag } from "./parts.js";
import { to } from "./router.js";

/** @param {any} item @param {string} now @returns {HTMLElement} one text */
export function textRow(item, now) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row-link", href: to("messages", item.phone, item.message_id) },
      h("span", { class: "row-top" }, h("strong", {}, phoneOf(item.phone)), h("time", { datetime: item.accepted_at }, shortOf(item.accepted_at, now))),
      h("span", { class: "row-text" }, h("span", { class: "row-sender" }, item.sender), " ", h("bdi", {}, item.text)),
      h(
        "span",
        { class: "row-chips" },
        chip(item.status, item.phase),
        item.contract ? tag(t("contract")) : item.certified ? tag(t("certified")) : null,
        item.segments > 1 ? tag(t("segments", { n: item.segments })) : null,
        item.reference ? h("span", { class: "row-reference" }, item.reference) : null,
      ),
    ),
  );
}

/** @param {any} item @param {string} now @returns {HTMLElement} one conversation */
export function phoneRow(item, now) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row-link", href: to("messages", item.phone) },
      h("span", { class: "row-top" }, h("strong", {}, phoneOf(item.phone)), h("time", { datetime: item.last_at }, shortOf(item.last_at, now))),
      h("span", { class: "row-text" }, item.last_is_reply ? h("span", { class: "row-sender" }, t("reply")) : null, " ", h("bdi", {}, item.last_text)),
      h(
        "span",
        { class: "row-chips" },
        tag(t("texts", { n: item.texts })),
        item.replies ? tag(t("replies", { n: item.replies })) : null,
        item.switched_off ? tag(t("phone.off"), "wait") : null,
        item.outcome === null ? null : tag(t("phone.ends", { status: item.outcome }), "bad"),
      ),
    ),
  );
}
