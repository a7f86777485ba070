/** Beside the phone: what is known of a text, and what its recipient and the carrier can do with it. */

import { act } from "./api.js";
import { fill, h } from "./dom.js";
import { distanceOf, sizeOf, whenOf } from "./format.js";
import { number, t } from "./i18n.js";
import { attempt } from "./notices.js";
import { button, card, chip, download, field, statusChoice, terms, worker } from "./parts.js";
import { get, set } from "./store.js";
import { wordsOf } from "./statuses.js";

const NO_NUMBER = 50;
const MADRID = [40.4168, -3.7038];

/**
 * Builds the panel.
 *
 * @param {string} phone whose
 * @returns {{ element: HTMLElement, draw: (known: any, item: any) => void }}
 */
export function inspector(phone) {
  const element = h("div", { class: "inspector" });
  let shown = "";
  return {
    element,
    draw(known, item) {
      const stamp = JSON.stringify([item, known.switched_off, known.outcome]);
      if (stamp === shown) return;
      shown = stamp;
      keepingFocus(element, () =>
        fill(element, item ? [about(item), recipientCard(item, phone), wording(item), history(item)] : null, carrierCard(known, phone)),
      );
    },
  };
}

/** Draws anew with the focus on the same control, and what is chosen or unfolded as it was. @param {HTMLElement} root @param {() => void} draw */
function keepingFocus(root, draw) {
  const active = /** @type {HTMLElement | null} */ (root.contains(document.activeElement) ? document.activeElement : null);
  const focus = active?.dataset.focus;
  const kept = /** @type {any[]} */ ([...root.querySelectorAll("[data-keep]")]);
  draw();
  for (const { dataset, value, checked } of kept) {
    const input = /** @type {any} */ (root.querySelector(`[data-keep="${dataset.keep}"]`));
    if (input) Object.assign(input, input.type === "checkbox" ? { checked } : { value });
  }
  if (!active) return;
  const same = focus ? root.querySelector(`[data-focus="${CSS.escape(focus)}"]`) : null;
  const target = same ?? root.querySelector("h2");
  if (!same) target?.setAttribute("tabindex", "-1");
  /** @type {HTMLElement | null} */ (target)?.focus({ preventScroll: true });
}

/** @param {any} item @returns {HTMLElement} what it is */
function about(item) {
  const now = get("clock")?.now ?? item.at;
  const certificate = item.certificate
    ? download(item.certificate, t("certificate"), `certificate-${item.message_id}.pdf`)
    : null;
  if (certificate) certificate.dataset.focus = "certificate";
  const waits = !item.arrived && Date.parse(item.at) > Date.parse(now);
  return card(
    t("text.details"),
    h("p", { class: "status-line" }, chip(item.status, item.phase), h("span", {}, wordsOf(item.status))),
    certificate ? h("p", { class: "row" }, certificate) : null,
    terms([
      [t("message.id"), filterButton("message_id", String(item.message_id))],
      [t("sender"), h("bdi", {}, item.sender)],
      [t("reference"), item.reference ? filterButton("reference", item.reference) : t("reference.none")],
      [t("kind"), kindOf(item)],
      [waits ? t("leaves") : t("left.at"), waits ? `${whenOf(item.at)} (${distanceOf(item.at, now)})` : whenOf(item.at)],
    ]),
  );
}

/** @param {any} item @returns {string} plain, certified, or which contract */
function kindOf(item) {
  if (item.contract) return t(`contract.${item.contract}`);
  return item.certified ? t("certified") : t("plain");
}

/** @param {string} name of a filter @param {string} value what to look for @returns {HTMLElement} shows what has the same */
function filterButton(name, value) {
  const press = () => set({ filters: { ...get("filters"), [name]: value }, mode: "texts" });
  return button(value, press, { kind: "link", label: t("filter.by", { value }), focus: name });
}

/** @param {any} item @returns {HTMLElement} how it was written, how it is shown, how it travelled */
function wording(item) {
  const changed = item.written !== item.text;
  return card(
    t("wording"),
    terms([
      [t("encoding"), t(`encoding.${item.encoding}.long`)],
      [t("length"), `${t("characters", { n: item.characters })}, ${t("segments", { n: item.segments })}`],
      [t("cost"), t("credits.n", { n: Number(item.cost) })],
    ]),
    item.replaced.length ? replacements(item.replaced) : null,
    changed ? [h("h3", {}, t("as.written")), h("p", { class: "quote", dir: "auto" }, item.written)] : null,
    h("h3", {}, t("as.shown")),
    h("p", { class: "quote", dir: "auto" }, item.text),
  );
}

/** @param {any[]} replaced @returns {HTMLElement[]} the letters that the phone shows otherwise */
function replacements(replaced) {
  return [
    h("h3", {}, t("replaced")),
    h(
      "ul",
      { class: "swaps" },
      replaced.map(({ from, to, times }) =>
        h(
          "li",
          {},
          h("span", { class: "unseen" }, t("replaced.each", { from, to, times: String(times) })),
          h("span", { "aria-hidden": "true" }, h("b", {}, from), " → ", h("b", {}, to), times > 1 ? ` × ${number(times)}` : ""),
        ),
      ),
    ),
  ];
}

/** @param {any} item @returns {HTMLElement} the statuses so far */
function history(item) {
  return card(
    t("history"),
    h(
      "ol",
      { class: "history" },
      item.history.map((/** @type {any} */ step) =>
        h("li", {}, h("time", { datetime: step.at }, whenOf(step.at)), h("span", {}, h("b", {}, step.status), " ", wordsOf(step.status))),
      ),
    ),
  );
}

/** @param {any} item @param {string} phone @returns {HTMLElement} what can be done with the text now */
function recipientCard(item, phone) {
  const path = `texts/${item.message_id}/${encodeURIComponent(phone)}`;
  const may = new Set(item.actions);
  const place = h("input", { type: "checkbox", data: { focus: "location", keep: "location" } });
  const body = () => (place.checked ? { location: MADRID } : {});
  const closing = [
    may.has("accept") ? worker(t("act.accept"), () => act(`${path}/accept`, body()), t("done.accept"), { kind: "main", focus: "accept" }) : null,
    may.has("sign") ? worker(t("act.sign"), () => act(`${path}/sign`, body()), t("done.sign"), { kind: "main", focus: "sign" }) : null,
    may.has("reject") ? worker(t("act.reject"), () => act(`${path}/reject`), t("done.reject"), { kind: "danger", focus: "reject" }) : null,
    may.has("expire") ? worker(t("act.expire"), () => act(`${path}/expire`), t("done.expire"), { focus: "expire" }) : null,
  ].filter(Boolean);
  return card(
    t("act.recipient"),
    documents(item, path, may.has("open")),
    closing.length ? h("div", { class: "row wrap" }, closing) : null,
    may.has("accept") || may.has("sign") ? h("label", { class: "check" }, place, h("span", {}, t("act.location"))) : null,
    may.has("deliver") ? deliverForm(item, path) : null,
    item.actions.length ? null : h("p", { class: "soft" }, t("act.none")),
  );
}

/** @param {any} item @param {string} path @param {boolean} may whether they can be opened @returns {HTMLElement | null} */
function documents(item, path, may) {
  if (!item.documents.length)
    return may ? h("div", { class: "row" }, worker(t("act.open"), () => act(`${path}/open`), t("done.open"), { focus: "open" })) : null;
  return h(
    "ul",
    { class: "documents" },
    item.documents.map((/** @type {any} */ document) =>
      h(
        "li",
        {},
        h("span", { class: "document-name" }, document.name, h("span", { class: "soft" }, ` ${sizeOf(document.size)}`)),
        may
          ? worker(t("act.open"), () => act(`${path}/open`, { document: document.name }), t("done.open"), { focus: `open ${document.sha256}`, label: t("act.open.label", { name: document.name }) })
          : null,
        document.url ? download(document.url, "", document.name, t("download.of", { name: document.name })) : null,
      ),
    ),
  );
}

/** @param {any} item @param {string} path @returns {HTMLElement} chooses the next delivery status */
function deliverForm(item, path) {
  const usual = item.contract ? 13 : item.certified ? 14 : 11;
  const select = statusChoice("", usual, { data: { keep: `deliver ${item.id}`, focus: "deliver-status" } });
  const work = () => act(`${path}/deliver`, { status: Number(select.value) });
  return h("div", { class: "inline-form" }, field(t("act.deliver"), select), worker(t("act.deliver.do"), work, t("done.deliver"), { focus: "deliver" }));
}

/** @param {any} known @param {string} phone @returns {HTMLElement} what the carrier does with everything to this phone */
function carrierCard(known, phone) {
  const path = `phones/${encodeURIComponent(phone)}`;
  const power = toggle("power", !known.switched_off, (on) => act(`${path}/switch`, { on }));
  const exists = toggle("exists", known.outcome !== NO_NUMBER, (on) => act(`${path}/outcome`, { status: on ? null : NO_NUMBER }));
  const outcome = statusChoice(t("outcome.usual"), known.outcome, {
    data: { focus: "outcome" },
    on: { change: () => attempt(outcome, () => act(`${path}/outcome`, { status: outcome.value ? Number(outcome.value) : null }), t("saved")) },
  });
  return card(
    t("carrier"),
    h("label", { class: "check" }, power, h("span", {}, t("phone.on"))),
    h("label", { class: "check" }, exists, h("span", {}, t("phone.exists"))),
    field(t("outcome"), outcome, known.magic ? t("outcome.magic", { status: String(known.magic) }) : ""),
  );
}

/** @param {string} name @param {boolean} on @param {(on: boolean) => Promise<unknown>} work @returns {HTMLInputElement} goes back when it fails */
function toggle(name, on, work) {
  const input = h("input", {
    type: "checkbox",
    role: "switch",
    checked: on,
    data: { focus: name },
    on: {
      async change() {
        if (!(await attempt(input, () => work(input.checked), t("saved")))) input.checked = !input.checked;
      },
    },
  });
  return input;
}
