/** The phone of a recipient: its conversation as it shows it, and what its owner can write back. */

import { act } from "./api.js";
import { fill, h, icon, reconcile } from "./dom.js";
import { phoneOf, shortOf, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { announce, attempt } from "./notices.js";
import { chip } from "./parts.js";
import { to } from "./router.js";
import { get, watch } from "./store.js";

const QUICK = ["SI", "ACEPTO", "BAJA"];
const ICONS = { FILE: "files", BASE64: "files", IMG: "image", QRCODE: "code", DATAMATRIX: "code", PDF417: "code" };

/** A phone. */
export class Conversation {
  #newest = "";
  #revealing = true;
  /** @type {number | null} */
  #answered = null;

  /** @param {string} phone whose */
  constructor(phone) {
    const name = phoneOf(phone);
    this.phone = phone;
    this.clock = h("span", { class: "phone-time" });
    this.signal = h("span", { class: "phone-signal" });
    this.bubbles = h("ol", { class: "bubbles" });
    this.thread = h("div", { class: "thread", tabindex: "0", role: "region", "aria-label": t("conversation.of", { phone: name }) }, this.bubbles);
    this.element = h(
      "section",
      { class: "phone", "aria-label": t("phone.of", { phone: name }) },
      h("a", { class: "button quiet phone-back", href: to("messages") }, icon("back"), h("span", {}, t("back"))),
      h(
        "div",
        { class: "phone-case" },
        h("div", { class: "phone-status", "aria-hidden": "true" }, this.clock, this.signal),
        h("header", { class: "phone-head" }, icon("phone"), h("h2", {}, name)),
        this.thread,
        replyForm(phone, () => this.#answered),
      ),
    );
    this.stop = watch(["clock"], () => this.#showTime());
    this.#showTime();
  }

  #showTime() {
    this.clock.textContent = get("clock") ? timeOf(get("clock").now).slice(0, 5) : "";
  }

  /** The chosen text is scrolled into view when the phone is drawn next. */
  reveal() {
    this.#revealing = true;
  }

  /** Shows the conversation. @param {any} known of the sandbox @param {number | null} chosen the message chosen */
  draw(known, chosen) {
    const { thread, bubbles } = this;
    this.#answered = answerable(known.items, chosen);
    this.element.dataset.off = known.switched_off ? "yes" : "no";
    this.signal.textContent = known.switched_off ? t("phone.off") : "●●●●";
    const low = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
    const stamp = (/** @type {any} */ item) => `${JSON.stringify(item)} ${isChosen(item, chosen)}`;
    const items = [...(known.more ? [{ kind: "more", at: "" }] : []), ...withSenders(known.items)];
    reconcile(bubbles, items, keyOf, (item) => bubble(item, this.phone, chosen), stamp);
    if (!known.items.length) fill(bubbles, h("li", { class: "thread-empty" }, t("conversation.empty")));
    const last = known.items.at(-1);
    const fresh = last ? `${keyOf(last)} ${known.items.length}` : "";
    if (this.#revealing) show(bubbles, low);
    else if (low && fresh !== this.#newest) thread.scrollTop = thread.scrollHeight;
    if (this.#newest && fresh !== this.#newest && last.kind === "reply") announce(t("reply.sent", { text: last.text }));
    this.#newest = fresh;
    this.#revealing = false;
  }
}

/** @param {any[]} items @param {number | null} chosen @returns {number | null} the message a reply belongs to: the chosen one, if the phone has it */
function answerable(items, chosen) {
  const there = items.filter((item) => item.kind === "text" && item.arrived);
  return (there.find((item) => item.message_id === chosen) ?? there.at(-1))?.message_id ?? null;
}

/** Scrolls the chosen bubble into the thread's view. @param {HTMLElement} bubbles @param {boolean} low */
function show(bubbles, low) {
  const thread = /** @type {HTMLElement} */ (bubbles.parentElement);
  const chosen = /** @type {HTMLElement | null} */ (bubbles.querySelector('[aria-current="true"]')?.closest("li"));
  if (!chosen || (low && !chosen.nextElementSibling)) thread.scrollTop = thread.scrollHeight;
  else thread.scrollTop = chosen.offsetTop - thread.clientHeight / 3;
}

/** @param {any} item @returns {string} tells the bubbles apart */
function keyOf(item) {
  return item.kind === "text" ? item.id : `${item.kind} ${item.at} ${item.place ?? ""}`;
}

/** @param {any} item @param {number | null} chosen */
function isChosen(item, chosen) {
  return item.kind === "text" && item.message_id === chosen;
}

/** Tells whose texts follow, wherever the sender changes. @param {any[]} items @returns {any[]} */
function withSenders(items) {
  let sender = "";
  return items.flatMap((item, place) => {
    const numbered = item.kind === "reply" ? { ...item, place } : item;
    if (item.kind !== "text" || item.sender === sender) return [numbered];
    sender = item.sender;
    return [{ kind: "sender", sender, at: item.at, place }, numbered];
  });
}

/** @param {any} item @param {string} phone @param {number | null} chosen @returns {HTMLElement} one entry of the thread */
function bubble(item, phone, chosen) {
  if (item.kind === "more") return h("li", { class: "sender" }, t("conversation.more"));
  if (item.kind === "sender") return h("li", { class: "sender" }, h("bdi", {}, item.sender));
  const now = get("clock")?.now;
  const at = h("time", { datetime: item.at }, shortOf(item.at, now));
  if (item.kind === "reply")
    return h("li", { class: "said mine" }, h("p", { class: "bubble" }, h("span", { class: "unseen" }, `${t("reply")}: `), h("bdi", {}, item.text)), h("p", { class: "under" }, at));
  return h(
    "li",
    { class: `said theirs${item.arrived ? "" : " absent"}${isChosen(item, chosen) ? " chosen" : ""}` },
    h("p", { class: "bubble" }, item.pieces.map((/** @type {any} */ piece) => pieceOf(piece))),
    h(
      "p",
      { class: "under" },
      item.arrived ? at : h("span", {}, t("not.arrived")),
      chip(item.status, item.phase),
      h(
        "a",
        {
          class: "details-link",
          href: to("messages", phone, item.message_id),
          "aria-current": isChosen(item, chosen) ? "true" : null,
          "aria-label": t("details.of", { text: item.text.slice(0, 60) }),
          data: { focus: "details" },
        },
        t("segments", { n: item.segments }),
        " · ",
        t(`encoding.${item.encoding}`),
      ),
    ),
  );
}

/** @param {any} piece @returns {Node | string} a piece of a text: words, or what an element of it became */
function pieceOf(piece) {
  if (piece.link === undefined) return h("bdi", {}, piece.text);
  const name = /** @type {Record<string, string>} */ (ICONS)[piece.type] ?? "link";
  const title = piece.type === "BASE64" ? "PDF" : piece.content;
  const inside = [icon(name), h("span", { class: "piece-name" }, title), h("span", { class: "piece-link" }, piece.link)];
  const target = piece.url ?? webTarget(piece);
  if (!target) return h("span", { class: "piece" }, inside);
  const props = piece.url ? { download: "" } : { target: "_blank", rel: "noopener noreferrer" };
  return h("a", { class: "piece", href: target, ...props }, inside);
}

/** @param {any} piece @returns {string | null} where a link leads, when that is the web */
function webTarget(piece) {
  return piece.type === "LINK" && /^https?:\/\//i.test(piece.content) ? piece.content : null;
}

/** @param {string} phone @param {() => number | null} answered the message a reply belongs to @returns {HTMLElement} */
function replyForm(phone, answered) {
  const input = h("input", { type: "text", "aria-label": t("reply.as", { phone: phoneOf(phone) }), placeholder: t("reply.hint"), autocomplete: "off", maxlength: "1000" });
  const send = h("button", { type: "submit", class: "button main round", "aria-label": t("reply.send") }, icon("send"));
  /** @param {string} text @param {HTMLElement} control */
  const say = async (text, control) => {
    if (!text.trim()) return;
    const body = { text, ...(answered() ? { message_id: answered() } : {}) };
    if (await attempt(control, () => act(`phones/${encodeURIComponent(phone)}/reply`, body), "")) input.value = "";
  };
  const quick = QUICK.map((word) => {
    const made = h("button", { type: "button", class: "button small", "aria-label": t("reply.quick", { text: word }), on: { click: () => say(word, made) } }, word);
    return made;
  });
  return h(
    "form",
    { class: "reply", on: { submit: (/** @type {Event} */ event) => { event.preventDefault(); say(input.value, send); } } },
    h("div", { class: "row tight", role: "group", "aria-label": t("reply.quicks") }, quick),
    h("div", { class: "reply-line" }, input, send),
  );
}
