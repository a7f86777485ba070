/** The log of API calls with request and reply side by side, what was posted to webhooks, and the guard's view. */

import { read } from "./api.js";
import { callDetail, callbackDetail } from "./call-detail.js";
import { callRow, callbackRow } from "./call-rows.js";
import { fill, h } from "./dom.js";
import { guardView } from "./guard-view.js";
import { t } from "./i18n.js";
import { PAGE, PagedList } from "./paged-list.js";
import { choice, empty } from "./parts.js";
import { to } from "./router.js";
import { watch } from "./store.js";

const VERDICTS = ["work", "read", "quick", "wrong", "blocked", "fault"];

/**
 * @param {HTMLElement} root where
 * @param {string[]} args a call's number, or "callbacks" and a callback's; both optional
 * @returns {import("./app.js").View} the view
 */
export function calls(root, args) {
  return new CallsView(root, args);
}

class CallsView {
  /** Counts the details asked for: only the newest is drawn. */
  #asked = 0;

  /** @param {HTMLElement} root @param {string[]} args */
  constructor(root, args) {
    this.root = root;
    this.place = args;
    this.guard = h("div", { class: "guard" });
    this.filters = h("div", { class: "filters" });
    this.tabs = h("nav", { class: "switch", "aria-label": t("calls.by") });
    this.detail = h("div", { class: "call-detail" });
    this.operation = h("input", { type: "search", placeholder: t("operation"), "aria-label": t("operation"), autocomplete: "off" });
    /** @type {[string, string][]} */
    const verdicts = VERDICTS.map((name) => [name, t(`verdict.${name}`)]);
    this.verdict = choice([["", t("any")], ...verdicts], "", { "aria-label": t("verdict") });
    this.list = this.#buildList();
    for (const input of [this.operation, this.verdict]) input.addEventListener("change", () => this.list.restart());
    const head = h("div", { class: "pane-head" }, h("h1", {}, t("nav.calls")), this.tabs);
    const pane = h("section", { class: "pane list-pane", "aria-label": t("nav.calls") }, head, this.guard, this.filters, this.list.box, this.list.pager);
    fill(root, pane, this.detail);
    this.stop = watch(["state"], () => this.#drawGuard());
    this.keys = { "/": () => this.operation.focus(), j: () => this.list.walk(1), k: () => this.list.walk(-1) };
    this.#draw();
  }

  /** @returns {PagedList} */
  #buildList() {
    return new PagedList({
      topics: ["calls", "callbacks"],
      label: t("calls.label"),
      load: (cursor, signal) => this.#load(cursor, signal),
      key: (item) => `${item.operation ? "" : "callbacks/"}${item.number}`,
      row: (item) => (item.operation ? callRow : callbackRow)(item),
      nothing: () => (this.#posted ? noCallbacks() : empty(t("empty.calls"), t("empty.calls.words"))),
    });
  }

  get #posted() {
    return this.place[0] === "callbacks";
  }

  /** @param {string | null} cursor @param {AbortSignal} signal @returns {Promise<any>} */
  #load(cursor, signal) {
    if (this.#posted) return read("callbacks", { limit: PAGE }, signal);
    const asked = { operation: this.operation.value.trim(), verdict: this.verdict.value };
    return read("calls", { ...asked, limit: PAGE, cursor }, signal);
  }

  /** @param {string[]} args */
  show(args) {
    const before = this.#posted;
    this.place = args;
    if (before !== this.#posted) this.list.restart();
    this.#draw();
  }

  #draw() {
    const current = (/** @type {boolean} */ is) => (is ? "page" : null);
    fill(
      this.tabs,
      h("a", { class: "button quiet", href: to("calls"), "aria-current": current(!this.#posted) }, t("calls.in")),
      h("a", { class: "button quiet", href: to("calls", "callbacks"), "aria-current": current(this.#posted) }, t("calls.out")),
    );
    if (this.#posted) fill(this.filters);
    else if (!this.filters.hasChildNodes()) fill(this.filters, this.operation, this.verdict);
    this.#drawGuard();
    this.list.mark(this.place.join("/"));
    this.#drawDetail();
  }

  #drawGuard() {
    fill(this.guard, this.#posted ? null : guardView());
  }

  async #drawDetail() {
    this.#asked += 1;
    const asked = this.#asked;
    const wanted = this.#posted ? this.place[1] : this.place[0];
    this.root.dataset.open = wanted ? "yes" : "no";
    const element = wanted ? await this.#fetch(wanted).catch(() => null) : nobody(t("choose.call"), t("choose.call.words"));
    if (asked !== this.#asked) return;
    fill(this.detail, element ?? nobody(t("error.not_found"), ""));
    if (wanted && matchMedia("(max-width: 61.99rem)").matches) this.detail.querySelector("a")?.focus();
  }

  /** @param {string} wanted a number @returns {Promise<HTMLElement | null>} */
  async #fetch(wanted) {
    if (!this.#posted) return callDetail(await read(`calls/${encodeURIComponent(wanted)}`));
    const { items } = await read("callbacks", { limit: PAGE });
    const post = items.find((/** @type {any} */ one) => String(one.number) === wanted);
    return post ? callbackDetail(post) : null;
  }

  close() {
    this.stop();
    this.list.close();
  }
}

/** @param {string} title @param {string} words @returns {HTMLElement} */
function nobody(title, words) {
  return h("div", { class: "pane detail-empty" }, empty(title, words));
}

/** @returns {HTMLElement} */
function noCallbacks() {
  const command = h("pre", { tabindex: "0", "aria-label": t("command") }, "mensatek sandbox --callback-url http://127.0.0.1:8080/");
  return empty(t("empty.callbacks"), t("empty.callbacks.words"), command);
}
