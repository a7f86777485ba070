/** The list of texts, or of conversations, with search, filters and pages. */

import { read } from "./api.js";
import { fill, h, reconcile } from "./dom.js";
import { phoneOf } from "./format.js";
import { t } from "./i18n.js";
import { tidyStops, walkable } from "./keys.js";
import { buildFilters, clearFilters, modes } from "./list-filters.js";
import { phoneRow, textRow } from "./list-rows.js";
import { follow } from "./live.js";
import { announce } from "./notices.js";
import { button, empty } from "./parts.js";
import { get, watch } from "./store.js";

const PAGE = 100;

/**
 * Builds the list.
 *
 * @param {HTMLElement} pane where
 * @returns {{ mark: (phone: string, id: string) => void, close: () => void, keys: Record<string, () => unknown> }}
 */
export function messageList(pane) {
  /** Cursors of the pages before the one shown. @type {(string | null)[]} */
  const before = [];
  /** @type {string | null} */
  let cursor = null;
  let newest = "";
  let selected = { phone: "", id: "" };

  const rows = h("ul", { class: "rows", "aria-label": t("list.label") });
  const nothing = h("div", {});
  const total = h("p", { class: "soft", id: "list-total" });
  const pager = h("div", { class: "row pager" });
  const filters = buildFilters();
  fill(
    pane,
    h("div", { class: "pane-head" }, h("div", {}, h("h1", {}, t("nav.messages")), total), modes(() => turn(true))),
    filters.form,
    h("div", { class: "rows-box" }, rows, nothing),
    pager,
  );
  walkable(rows, "a.row-link");

  const follower = follow(["messages", "phones"], async (signal) => {
    const byPhone = get("mode") === "phones";
    const query = { ...get("filters"), limit: PAGE, cursor };
    const found = byPhone
      ? await read("phones", { q: get("filters").q, limit: PAGE }, signal)
      : await read("messages", query, signal);
    draw(found, byPhone);
  });

  /** @param {boolean} [restart] go to the first page */
  function turn(restart = false) {
    if (restart) {
      before.length = 0;
      cursor = null;
    }
    newest = "";
    follower.refresh();
  }

  /** @param {any} found @param {boolean} byPhone */
  function draw(found, byPhone) {
    const now = get("clock")?.now;
    /** @type {any[]} */
    const items = found.items;
    tell(items[0], byPhone);
    reconcile(
      rows,
      items,
      (item) => (byPhone ? item.phone : item.id),
      (item) => (byPhone ? phoneRow(item, now) : textRow(item, now)),
      (item) => JSON.stringify(item),
    );
    rows.hidden = !items.length;
    fill(nothing, items.length ? null : whyEmpty(filters.used()));
    total.textContent = totals(items.length, found, byPhone, filters.used());
    drawPager(byPhone ? null : found.cursor);
    mark();
  }

  /** Says that a text came, when it is the newest of the first page. @param {any} item @param {boolean} byPhone */
  function tell(item, byPhone) {
    const id = byPhone || !item ? "" : item.id;
    if (newest && id && id !== newest && !cursor)
      announce(t("list.new", { phone: phoneOf(item.phone), sender: item.sender, text: item.text.slice(0, 100) }));
    newest = id;
  }

  /** @param {string | null} next the cursor of the page after */
  function drawPager(next) {
    pager.hidden = !next && !before.length;
    const newer = button(t("newer"), () => {
      cursor = before.pop() ?? null;
      turn();
    }, { icon: "back", focus: "newer" });
    const older = button(t("older"), () => {
      before.push(cursor);
      cursor = next;
      turn();
      rows.parentElement?.scrollTo(0, 0);
    }, { icon: "next", focus: "older" });
    newer.disabled = !before.length;
    older.disabled = !next;
    const focus = /** @type {HTMLElement | null} */ (pager.contains(document.activeElement) ? document.activeElement : null);
    fill(pager, newer, h("span", { class: "soft" }, t("page", { n: before.length + 1 })), older);
    if (focus) /** @type {HTMLElement} */ (pager.querySelector(`[data-focus="${focus.dataset.focus}"]:not(:disabled)`) ?? older).focus();
  }

  function mark() {
    const links = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll("a.row-link")]);
    for (const link of links) {
      const row = /** @type {HTMLElement} */ (link.closest("li")).dataset;
      const is = row.key === selected.id || row.key === selected.phone;
      if (is) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const stop = links.find((link) => link === document.activeElement) ?? links.find((link) => link.ariaCurrent);
    tidyStops(links, stop);
  }

  /** Opens the text after or before the one open. @param {number} step */
  function walk(step) {
    const links = /** @type {HTMLAnchorElement[]} */ ([...rows.querySelectorAll("a.row-link")]);
    const at = links.findIndex((link) => link.ariaCurrent === "true");
    const next = at < 0 ? links[0] : links[at + step];
    if (!next) return;
    next.focus();
    next.click();
  }

  const stopWatching = watch(["filters"], () => {
    filters.draw();
    turn(true);
  });
  return {
    mark(phone, id) {
      selected = { phone, id: id ? `${id}-${phone}` : "" };
      mark();
    },
    close() {
      stopWatching();
      follower.stop();
    },
    keys: { "/": () => filters.focus(), j: () => walk(1), k: () => walk(-1) },
  };
}

/** @param {number} shown @param {any} found @param {boolean} byPhone @param {boolean} filtered @returns {string} how many there are */
function totals(shown, found, byPhone, filtered) {
  if (byPhone) return t("list.phones", { n: shown });
  return filtered ? t("list.found", { shown, n: found.total }) : t("list.total", { n: found.total });
}

/** @param {boolean} filtered @returns {HTMLElement} what to do when nothing is there */
function whyEmpty(filtered) {
  if (filtered) return empty(t("empty.found"), t("empty.found.words"), button(t("filter.clear"), clearFilters));
  const api = get("state")?.api;
  const lines = api ? [`export MENSATEK_BASE_URL=${api.base_url}`, `export MENSATEK_API_USER=${api.user}`] : [];
  const command = 'mensatek send 600000000 --sender DEMO --text "Hola" --yes';
  return empty(t("empty.texts"), t("empty.texts.words"), h("pre", { tabindex: "0", "aria-label": t("command") }, [...lines, command].join("\n")));
}
