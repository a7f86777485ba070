/** What has not left yet: cancel it, move it, or step the clock to it. */

import { act, read } from "./api.js";
import { fill, h, reconcile } from "./dom.js";
import { creditsOf, distanceOf, localOf, momentOf, whenOf } from "./format.js";
import { t } from "./i18n.js";
import { follow } from "./live.js";
import { attempt, notice } from "./notices.js";
import { button, empty, field, tag, worker } from "./parts.js";
import { get, watch } from "./store.js";

/**
 * @param {HTMLElement} root where
 * @returns {import("./app.js").View} the view
 */
export function scheduled(root) {
  const items = h("ul", { class: "cards" });
  const nothing = h("div", {});
  const head = h("div", { class: "page-head" }, h("h1", {}, t("nav.scheduled")), h("p", { class: "soft" }, t("scheduled.words")));
  fill(root, head, items, nothing);
  const follower = follow(["messages", "settings"], async (signal) => {
    const found = (await read("scheduled", {}, signal)).items;
    if (isBeingMoved(items, found)) return;
    reconcile(items, found, (item) => String(item.message_id), (item) => row(item, follower.refresh), (item) => JSON.stringify(item));
    items.hidden = !found.length;
    fill(nothing, found.length ? null : noneThere());
  });
  const stop = watch(["clock"], () => {
    for (const told of items.querySelectorAll("[data-leaves]")) told.textContent = distance(told.dataset.leaves);
  });
  return {
    show() {},
    close() {
      stop();
      follower.stop();
    },
  };
}

/** @param {HTMLElement} items @param {any[]} found @returns {boolean} whether somebody is choosing another moment for one of them */
function isBeingMoved(items, found) {
  const moving = items.querySelector("form")?.closest("li")?.dataset.key;
  return found.some((item) => String(item.message_id) === moving);
}

/** @returns {HTMLElement} */
function noneThere() {
  const command = 'mensatek send 600000000 --text "Hola" --at 2027-01-08T10:00 --yes';
  return empty(t("empty.scheduled"), t("empty.scheduled.words"), h("pre", { tabindex: "0", "aria-label": t("command") }, command));
}

/** @param {any} item @param {() => void} refresh @returns {HTMLElement} one message */
function row(item, refresh) {
  const when = h("p", { class: "big" }, h("time", { datetime: item.leaves_at }, whenOf(item.leaves_at)));
  const far = h("p", { class: "soft", data: { leaves: item.leaves_at } }, distance(item.leaves_at));
  return h(
    "li",
    { class: "card" },
    h("div", { class: "card-top" }, when, far),
    h("p", { class: "quote", dir: "auto" }, item.text),
    h(
      "p",
      { class: "row-chips" },
      h("b", {}, item.sender),
      h("span", {}, t("recipients", { n: item.recipients })),
      h("span", {}, t("credits.n", { n: Number(item.cost) })),
      item.contract ? tag(t("contract")) : item.certified ? tag(t("certified")) : null,
      item.reference ? h("span", { class: "row-reference" }, item.reference) : null,
      h("span", { class: "soft mono" }, item.message_id),
    ),
    rowTools(item, refresh),
  );
}

/** @param {any} item @param {() => void} refresh @returns {HTMLElement} what can be done with it */
function rowTools(item, refresh) {
  const tools = h("div", { class: "row wrap" });
  const id = String(item.message_id);
  const usual = () =>
    fill(
      tools,
      button(t("reschedule"), () => move(item, tools, usual, refresh), { focus: "move", label: t("reschedule.of", { id }) }),
      worker(t("cancel"), () => cancel(item), "", { kind: "danger", focus: "cancel", label: t("cancel.of", { id }) }),
      worker(t("step.to"), () => act("clock", { to: item.leaves_at }), t("step.to.done"), { kind: "quiet", focus: "step" }),
    );
  usual();
  return tools;
}

/** @param {string} moment @returns {string} how far it is */
function distance(moment) {
  const now = get("clock")?.now;
  return now ? distanceOf(moment, now) : "";
}

/** @param {any} item */
async function cancel(item) {
  const { cancelled, refunded } = await act(`messages/${item.message_id}/cancel`);
  notice(t("cancelled", { n: cancelled, credits: creditsOf(refunded) }));
  /** @type {HTMLElement | null} */ (document.querySelector("#view h1"))?.focus();
}

/** Shows the form that moves a message. @param {any} item @param {HTMLElement} tools @param {() => void} usual @param {() => void} refresh */
function move(item, tools, usual, refresh) {
  const input = h("input", { type: "datetime-local", value: localOf(item.leaves_at), required: true });
  const leave = () => {
    usual();
    tools.querySelector("button")?.focus();
    refresh();
  };
  const save = h("button", { type: "submit", class: "button main" }, t("save"));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const at = momentOf(input.value).toISOString();
    if (await attempt(save, () => act(`messages/${item.message_id}/reschedule`, { at }), t("rescheduled"))) leave();
  };
  const escape = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") leave();
  };
  fill(
    tools,
    h("form", { class: "inline-form", on: { submit, keydown: escape } }, field(t("reschedule.to"), input), save, button(t("keep"), leave)),
  );
  input.focus();
}
