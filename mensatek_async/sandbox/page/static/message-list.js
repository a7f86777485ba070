/** The list of texts, or of conversations, with search and filters. */

import { read } from "./api.js";
import { fill, h } from "./dom.js";
import { phoneOf } from "./format.js";
import { t } from "./i18n.js";
import { Filters, Modes, byPhone, clearFilters } from "./list-filters.js";
import { phoneRow, textRow } from "./list-rows.js";
import { announce } from "./notices.js";
import { PAGE, PagedList } from "./paged-list.js";
import { button, empty } from "./parts.js";
import { get, watch } from "./store.js";

const PAUSE = 1000;

/** The list. */
export class MessageList {
  #newest = "";
  #untold = 0;
  #total = h("p", { class: "soft", id: "list-total" });
  #filters = new Filters();
  #modes = new Modes();

  /** @param {HTMLElement} pane where */
  constructor(pane) {
    this.list = new PagedList({
      topics: ["messages", "phones"],
      label: t("list.label"),
      load: load,
      key: (item) => item.id ?? item.phone,
      row: (item) => (item.id ? textRow : phoneRow)(item, get("clock")?.now),
      nothing: () => whyEmpty(this.#filters.used),
      drawn: (found, first) => this.#drawn(found, first),
    });
    const head = h("div", {}, h("h1", {}, t("nav.messages")), this.#total);
    fill(
      pane,
      h("div", { class: "pane-head" }, head, this.#modes.box),
      this.#filters.form,
      this.list.box,
      this.list.pager,
    );
    this.last = { phone: "", sender: "", text: "" };
    this.stop = watch(["filters", "mode"], () => {
      this.#filters.draw();
      this.#modes.draw();
      this.#restart();
    });
    this.keys = {
      "/": () => this.#filters.q.focus(),
      j: () => this.list.walk(1),
      k: () => this.list.walk(-1),
    };
  }

  #restart() {
    this.#newest = "";
    this.list.restart();
  }

  /** @param {any} found @param {boolean} first */
  #drawn(found, first) {
    const [top] = found.items;
    this.#total.textContent = totals(found, this.#filters.used);
    if (first && top?.id && this.#newest && this.#newest !== top.id) this.#tell(found.items);
    this.#newest = first ? top?.id ?? "" : "";
  }

  /** Has what is new read out, at most once a second: many are told by their number. @param {any[]} items */
  #tell(items) {
    const known = items.findIndex((item) => item.id === this.#newest);
    if (!this.#untold) setTimeout(() => this.#say(), PAUSE);
    this.#untold += known < 0 ? items.length : known;
    const [{ phone, sender, text }] = items;
    this.last = { phone: phoneOf(phone), sender, text: text.slice(0, 100) };
  }

  #say() {
    announce(this.#untold === 1 ? t("list.new", this.last) : t("list.many", { n: this.#untold }));
    this.#untold = 0;
  }

  /** Marks the message, or the conversation, that is open. @param {string} phone @param {string} id */
  mark(phone, id) {
    this.list.mark(byPhone() ? phone : `${id}-${phone}`);
  }

  /** Follows no longer. */
  close() {
    this.stop();
    this.list.close();
  }
}

/** @param {string | null} cursor @param {AbortSignal} signal @returns {Promise<any>} a page */
function load(cursor, signal) {
  const filters = get("filters");
  if (byPhone()) return read("phones", { q: filters.q, limit: PAGE }, signal);
  return read("messages", { ...filters, limit: PAGE, cursor }, signal);
}

/** @param {any} found @param {boolean} filtered @returns {string} how many there are */
function totals(found, filtered) {
  const shown = found.items.length;
  const phones = get("state")?.counts.phones ?? shown;
  if (found.total === undefined) return shown < phones ? t("list.found", { shown, n: phones }) : t("list.phones", { n: shown });
  return filtered ? t("list.found", { shown, n: found.total }) : t("list.total", { n: found.total });
}

/** @param {boolean} filtered @returns {HTMLElement} what to do when nothing is there */
function whyEmpty(filtered) {
  if (filtered) return empty(t("empty.found"), t("empty.found.words"), button(t("filter.clear"), clearFilters));
  if (get("state")?.keep_texts === false) return empty(t("empty.unkept"), t("empty.unkept.words"));
  const api = get("state")?.api;
  const lines = api ? [`export MENSATEK_BASE_URL=${api.base_url}`, `export MENSATEK_API_USER=${api.user}`] : [];
  lines.push(`# ${t("empty.texts.token")}`);
  const command = [...lines, 'mensatek send 600000000 --sender DEMO --text "Hola" --yes'].join("\n");
  return empty(t("empty.texts"), t("empty.texts.words"), h("pre", { tabindex: "0", "aria-label": t("command") }, command));
}
