/** One call, or one callback, in full. */

import { verdictTag } from "./call-rows.js";
import { h, icon } from "./dom.js";
import { whenOf } from "./format.js";
import { t } from "./i18n.js";
import { card, tag, terms } from "./parts.js";
import { to } from "./router.js";

/** @param {any} call @returns {HTMLElement} request and reply side by side */
export function callDetail(call) {
  const { request, reply } = call;
  return h(
    "article",
    { class: "pane exchange", "aria-label": t("call.of", { n: call.number, operation: call.operation }) },
    backLink("calls"),
    h("header", {}, h("h2", {}, call.operation), h("p", { class: "soft" }, `#${call.number} · ${whenOf(call.at)}`)),
    h("p", { class: "status-line" }, verdictTag(call.verdict), t(`verdict.${call.verdict}.words`), call.fault ? tag(call.fault, "wait") : null),
    h(
      "div",
      { class: "sides" },
      card(
        t("request"),
        h("p", { class: "mono" }, `POST /v7/${call.operation}`),
        fold(t("headers"), pretty(request.headers)),
        block(t("parameters"), pretty(request.params)),
        request.unknown.length ? block(t("unknown.parameters", { n: request.unknown.length }), request.unknown.join("\n")) : null,
        fold(t("body"), request.body, request.cut),
      ),
      card(
        t("answer"),
        h("p", { class: "mono" }, reply.http === null ? t("dropped.words") : `HTTP ${reply.http} · ${reply.content_type}`),
        reply.fields ? block(t("fields"), pretty(reply.fields)) : null,
        reply.fields ? fold(t("body"), reply.body, reply.cut) : block(t("body"), reply.body, reply.cut),
      ),
    ),
  );
}

/** @param {any} post @returns {HTMLElement} what was posted, and what was answered */
export function callbackDetail(post) {
  return h(
    "article",
    { class: "pane exchange", "aria-label": `${post.service} #${post.number}` },
    backLink("calls", "callbacks"),
    h("header", {}, h("h2", {}, post.service), h("p", { class: "soft" }, `#${post.number}`)),
    terms([
      [t("posted.to"), h("span", { class: "mono" }, post.url ?? "")],
      [t("answers"), post.answers.length ? post.answers.join(", ") : t("none")],
    ]),
    block(t("fields"), pretty(post.fields)),
  );
}

/** @param {string} name @param {...string} args @returns {HTMLElement} for narrow screens */
function backLink(name, ...args) {
  return h("a", { class: "button quiet phone-back", href: to(name, ...args) }, icon("back"), h("span", {}, t("back")));
}

/** @param {unknown} value @returns {string} JSON that people can read */
function pretty(value) {
  return JSON.stringify(value ?? {}, null, 2);
}

/** @param {string} title @param {string} text @param {boolean} [cut] @returns {HTMLElement} text as it came */
function block(title, text, cut = false) {
  return h("div", { class: "raw" }, h("h3", {}, title), h("pre", { tabindex: "0", "aria-label": title }, text || t("nothing")), cut ? h("p", { class: "soft" }, t("cut")) : null);
}

/** @param {string} title @param {string} text @param {boolean} [cut] @returns {HTMLElement} the same, folded */
function fold(title, text, cut = false) {
  return h("details", { class: "raw" }, h("summary", {}, title), h("pre", { tabindex: "0", "aria-label": title }, text || t("nothing")), cut ? h("p", { class: "soft" }, t("cut")) : null);
}
