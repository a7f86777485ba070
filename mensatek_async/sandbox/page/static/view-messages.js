/** The messages: list at the left, the phone and the text chosen at the right. */

import { read } from "./api.js";
import { Conversation } from "./conversation.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { inspector } from "./inspector.js";
import { follow } from "./live.js";
import { MessageList } from "./message-list.js";
import { empty } from "./parts.js";
import { go } from "./router.js";
import { set } from "./store.js";

const NARROW = matchMedia("(max-width: 62rem)");

/**
 * @param {HTMLElement} root where
 * @param {string[]} args a phone and a message id, both optional
 * @returns {import("./app.js").View} the view
 */
export function messages(root, args) {
  const listPane = h("section", { class: "pane list-pane", "aria-label": t("nav.messages") });
  const detail = h("div", { class: "detail" });
  fill(root, listPane, detail);
  const list = new MessageList(listPane);
  /** @type {ReturnType<typeof openPhone> | null} */
  let opened = null;

  /** @param {string[]} place */
  function show([phone = "", id = ""]) {
    root.dataset.open = phone ? "yes" : "no";
    list.mark(phone, id);
    if (opened && opened.phone === phone) opened.choose(id);
    else {
      opened?.close();
      opened = phone ? openPhone(detail, phone, id, (newest) => list.mark(phone, newest)) : null;
      if (!opened) fill(detail, h("div", { class: "pane detail-empty" }, empty(t("choose"), t("choose.words"))));
    }
  }

  show(args);
  return {
    show(place) {
      show(place);
      if (NARROW.matches) focusOn(root, place[0]);
    },
    close() {
      list.close();
      opened?.close();
    },
    keys: {
      ...list.keys,
      r: () => /** @type {HTMLElement | null} */ (root.querySelector(".reply input"))?.focus(),
      Escape: () => leave(root),
    },
  };
}

/** Where only one of both is shown, the focus goes along. @param {HTMLElement} root @param {string | undefined} phone */
function focusOn(root, phone) {
  const row = root.querySelector('.row-link[tabindex="0"]') ?? root.querySelector("h1");
  const target = phone ? root.querySelector(".phone-back") : row;
  /** @type {HTMLElement | null} */ (target)?.focus();
  scrollTo(0, 0);
}

/** Escape: out of the reply, then out of the phone. @param {HTMLElement} root */
function leave(root) {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  if (root.dataset.open !== "yes") return active?.blur();
  const row = /** @type {HTMLElement | null} */ (root.querySelector('.row-link[tabindex="0"]'));
  if (NARROW.matches) return go("messages");
  if (root.querySelector(".detail")?.contains(active)) return row?.focus();
  return go("messages");
}

/**
 * Follows one phone.
 *
 * @param {HTMLElement} root where it is shown
 * @param {string} phone whose
 * @param {string} id of the message to choose; the newest when there is none
 * @param {(id: string) => void} chose called with the id of the message shown
 */
function openPhone(root, phone, id, chose) {
  let chosen = id;
  /** @type {any} */
  let known = null;
  const thread = new Conversation(phone);
  const details = inspector(phone);
  fill(root, thread.element, details.element);

  function draw() {
    if (!known) return;
    const texts = known.items.filter((/** @type {any} */ item) => item.kind === "text");
    const current = texts.find((/** @type {any} */ item) => String(item.message_id) === chosen) ?? texts.at(-1);
    thread.draw(known, current?.message_id ?? null);
    details.draw(known, current ?? null);
    chose(String(current?.message_id ?? ""));
  }

  const follower = follow(["messages", "phones", "settings"], async (signal) => {
    known = await read(`phones/${encodeURIComponent(phone)}`, {}, signal);
    set({ phone: known });
    draw();
  });
  return {
    phone,
    /** @param {string} wanted */
    choose(wanted) {
      chosen = wanted;
      thread.reveal();
      draw();
    },
    close() {
      thread.stop();
      follower.stop();
    },
  };
}
