/** A list that follows the stream, one page of it at a time, walked with the arrow keys. */

import { fill, h, reconcile } from "./dom.js";
import { t } from "./i18n.js";
import { tidyStops, walkable } from "./keys.js";
import { follow } from "./live.js";
import { button } from "./parts.js";

export const PAGE = 100;

/**
 * @typedef {object} Source what a list shows
 * @property {string[]} topics of the stream
 * @property {string} label the list's name
 * @property {(cursor: string | null, signal: AbortSignal) => Promise<{ items: any[], cursor?: string | null }>} load a page
 * @property {(item: any) => string} key tells items apart
 * @property {(item: any) => HTMLElement} row an item, with a link of the class `row-link`
 * @property {() => HTMLElement} nothing what to show when there are no items
 * @property {(found: any, first: boolean) => void} [drawn] after a page was drawn; `first` for the first page
 */

/** The list. Its parts are `box`, which scrolls, and `pager` below it. */
export class PagedList {
  /** Cursors of the pages before the one shown. @type {(string | null)[]} */
  #before = [];
  /** @type {string | null} */
  #cursor = null;
  #marked = "";

  /** @param {Source} source what it shows */
  constructor(source) {
    this.source = source;
    this.rows = h("ul", { class: "rows", "aria-label": source.label });
    this.nothing = h("div", {});
    this.box = h("div", { class: "rows-box" }, this.rows, this.nothing);
    this.pager = h("div", { class: "row pager", hidden: true });
    walkable(this.rows, "a.row-link");
    this.follower = follow(source.topics, (signal) => this.#load(signal));
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    const { source } = this;
    const asked = this.#cursor;
    const found = await source.load(asked, signal);
    if (asked !== this.#cursor) return;
    reconcile(this.rows, found.items, source.key, source.row, (item) => JSON.stringify(item));
    this.rows.hidden = !found.items.length;
    fill(this.nothing, found.items.length ? null : source.nothing());
    this.#drawPager(found.cursor ?? null);
    this.mark(this.#marked);
    source.drawn?.(found, !asked);
  }

  /** @param {string | null} next the cursor of the page after */
  #drawPager(next) {
    this.pager.hidden = !next && !this.#before.length;
    const newer = button(t("newer"), () => this.#turn(() => this.#before.pop() ?? null), { icon: "back", focus: "newer" });
    const older = button(t("older"), () => this.#turn(() => this.#remember(next)), { icon: "next", focus: "older" });
    newer.disabled = !this.#before.length;
    older.disabled = !next;
    const had = this.pager.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    fill(this.pager, newer, h("span", { class: "soft" }, t("page", { n: this.#before.length + 1 })), older);
    if (!had) return;
    const same = had.dataset.focus === "newer" ? newer : older;
    (same.disabled ? (same === newer ? older : newer) : same).focus();
  }

  /** @param {string | null} next @returns {string | null} */
  #remember(next) {
    this.#before.push(this.#cursor);
    return next;
  }

  /** @param {() => string | null} leaf gives the cursor of the page to show */
  #turn(leaf) {
    this.#cursor = leaf();
    this.box.scrollTop = 0;
    this.follower.refresh();
  }

  /** Goes to the first page, such as after a change of filters. */
  restart() {
    this.#before = [];
    this.#turn(() => null);
  }

  /** Marks the item that is open. @param {string} key */
  mark(key) {
    this.#marked = key;
    const links = this.#links();
    for (const link of links)
      if (key && link.closest("li")?.dataset.key === key) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    tidyStops(links, links.find((link) => link === document.activeElement) ?? links.find((link) => link.ariaCurrent));
  }

  /** Opens the item so many places after the one open. @param {number} step */
  walk(step) {
    const links = this.#links();
    const at = links.findIndex((link) => link.ariaCurrent === "true");
    const next = at < 0 ? links[0] : links[at + step];
    next?.focus();
    next?.click();
  }

  /** Follows no longer. */
  close() {
    this.follower.stop();
  }

  /** @returns {HTMLAnchorElement[]} */
  #links() {
    return [...this.rows.querySelectorAll("a.row-link")];
  }
}
