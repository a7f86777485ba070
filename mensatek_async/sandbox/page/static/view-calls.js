/** The log of API calls with request and reply side by side, what was posted to webhooks, and the guard's view. */

import { read } from "./api.js";
import { callDetail, callbackDetail } from "./call-detail.js";
import { fill, h, reconcile } from "./dom.js";
import { timeOf } from "./format.js";
import { number, t } from "./i18n.js";
import { tidyStops, walkable } from "./keys.js";
import { follow } from "./live.js";
import { button, card, choice, empty, tag } from "./parts.js";
import { here, to } from "./router.js";
import { get, watch } from "./store.js";

const PAGE = 100;
const VERDICTS = ["work", "read", "quick", "wrong", "blocked", "fault"];
const TONES = { work: "good", read: "plain", quick: "wait", wrong: "bad", blocked: "bad", fault: "wait" };

/**
 * @param {HTMLElement} root where
 * @param {string[]} args a call's number, or "callbacks" and a callback's; both optional
 * @returns {import("./app.js").View} the view
 */
export function calls(root, args) {
  let place = args;
  /** @type {(string | null)[]} */
  const before = [];
  /** @type {string | null} */
  let cursor = null;
  const asked = { verdict: "", operation: "" };
  const posted = () => place[0] === "callbacks";
  const guard = h("div", { class: "guard" });
  const rows = h("ul", { class: "rows", "aria-label": t("calls.label") });
  const nothing = h("div", {});
  const pager = h("div", { class: "row pager" });
  const filters = h("div", { class: "filters" });
  const tabs = h("nav", { class: "switch", "aria-label": t("calls.by") });
  const detail = h("div", { class: "call-detail" });
  const pane = h("section", { class: "pane list-pane" }, h("div", { class: "pane-head" }, h("h1", {}, t("nav.calls")), tabs), guard, filters, h("div", { class: "rows-box" }, rows, nothing), pager);
  fill(root, pane, detail);
  walkable(rows, "a.row-link");

  const follower = follow(["calls", "callbacks"], async (signal) => {
    const wanted = posted();
    const found = wanted ? await read("callbacks", { limit: PAGE }, signal) : await read("calls", { ...asked, limit: PAGE, cursor }, signal);
    if (wanted !== posted()) return;
    reconcile(rows, found.items, (item) => String(item.number), wanted ? callbackRow : callRow, (item) => JSON.stringify(item));
    rows.hidden = !found.items.length;
    fill(nothing, found.items.length ? null : wanted ? empty(t("empty.callbacks"), t("empty.callbacks.words"), h("pre", { tabindex: "0", "aria-label": t("command") }, "mensatek sandbox --callbacks http://127.0.0.1:8080/")) : empty(t("empty.calls"), t("empty.calls.words")));
    drawPager(found.cursor ?? null);
    mark();
  });

  /** @param {string | null} next */
  function drawPager(next) {
    pager.hidden = !next && !before.length;
    const turn = (/** @type {() => void} */ how) => () => {
      how();
      follower.refresh();
    };
    const newer = button(t("newer"), turn(() => { cursor = before.pop() ?? null; }), { icon: "back" });
    const older = button(t("older"), turn(() => { before.push(cursor); cursor = next; }), { icon: "next" });
    newer.disabled = !before.length;
    older.disabled = !next;
    fill(pager, newer, older);
  }

  function drawTabs() {
    fill(
      tabs,
      h("a", { class: "button quiet", href: to("calls"), "aria-current": posted() ? null : "page" }, t("calls.in")),
      h("a", { class: "button quiet", href: to("calls", "callbacks"), "aria-current": posted() ? "page" : null }, t("calls.out")),
    );
  }

  function mark() {
    const wanted = posted() ? place[1] : place[0];
    const links = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll("a.row-link")]);
    for (const link of links)
      if (link.closest("li")?.dataset.key === wanted) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    tidyStops(links, links.find((link) => link === document.activeElement) ?? links.find((link) => link.ariaCurrent));
  }

  async function drawDetail() {
    const wanted = posted() ? place[1] : place[0];
    root.dataset.open = wanted ? "yes" : "no";
    if (!wanted) return fill(detail, h("div", { class: "pane detail-empty" }, empty(t("choose.call"), t("choose.call.words"))));
    try {
      const element = posted() ? callbackDetail((await read("callbacks", { limit: PAGE })).items.find((/** @type {any} */ one) => String(one.number) === wanted)) : callDetail(await read(`calls/${encodeURIComponent(wanted)}`));
      const now = here().args;
      if (wanted === (posted() ? now[1] : now[0])) fill(detail, element);
    } catch {
      fill(detail, h("div", { class: "pane detail-empty" }, empty(t("error.not_found"), "")));
    }
    return undefined;
  }

  const apply = () => {
    before.length = 0;
    cursor = null;
    follower.refresh();
  };
  const verdict = choice([["", t("any")], ...VERDICTS.map((name) => /** @type {[string, string]} */ ([name, t(`verdict.${name}`)]))], "", { "aria-label": t("verdict"), on: { change: () => { asked.verdict = verdict.value; apply(); } } });
  const operation = h("input", { type: "search", placeholder: t("operation.hint"), "aria-label": t("operation"), list: "operations", autocomplete: "off", on: { change: () => { asked.operation = operation.value.trim(); apply(); } } });
  const drawGuard = () => fill(guard, posted() ? null : guardView());

  /** @param {string[]} next */
  function show(next) {
    const changed = (next[0] === "callbacks") !== posted();
    place = next;
    drawTabs();
    drawGuard();
    fill(filters, posted() ? null : [operation, verdict]);
    if (changed) {
      fill(rows);
      apply();
    }
    mark();
    drawDetail();
  }
  show(args);
  const stop = watch(["state"], drawGuard);
  return {
    show,
    close() {
      stop();
      follower.stop();
    },
    keys: { "/": () => operation.focus() },
  };
}

/** @param {any} item @returns {HTMLElement} one call */
function callRow(item) {
  const result = item.res === null || item.res === undefined ? "" : `Res ${item.res}`;
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row-link", href: to("calls", item.number) },
      h("span", { class: "row-top" }, h("strong", {}, item.operation), h("time", { datetime: item.at }, timeOf(item.at))),
      h(
        "span",
        { class: "row-chips" },
        tag(t(`verdict.${item.verdict}`), /** @type {Record<string, string>} */ (TONES)[item.verdict] ?? "plain"),
        h("span", { class: "mono soft" }, item.http === null ? t("dropped") : `HTTP ${item.http}`),
        result ? h("span", { class: "mono soft" }, result) : null,
        item.fault ? tag(item.fault, "wait") : null,
      ),
    ),
  );
}

/** @param {any} item @returns {HTMLElement} one callback */
function callbackRow(item) {
  const [words, tone] = item.taken ? [t("callback.taken"), "good"] : item.waiting ? [t("callback.waiting"), "wait"] : [t("callback.lost"), "bad"];
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row-link", href: to("calls", "callbacks", item.number) },
      h("span", { class: "row-top" }, h("strong", {}, item.service), h("span", { class: "soft mono" }, item.fields.Resultado ?? "")),
      h("span", { class: "row-chips" }, tag(words, tone), item.repeated ? tag(t("callback.repeated")) : null, h("span", { class: "mono soft" }, item.answers.join(" "))),
    ),
  );
}

/** @returns {HTMLElement | null} how near the account is to a block */
function guardView() {
  const guard = get("state")?.guard;
  if (!guard) return null;
  const gauge = (/** @type {string} */ words, /** @type {number} */ value) => {
    const meter = h("meter", { min: "0", max: String(guard.block_after), high: String(guard.block_after * 0.7), "aria-label": words });
    meter.value = value;
    return h("li", {}, h("span", {}, words), meter, h("span", { class: "mono" }, t("of", { n: value, most: number(guard.block_after) })));
  };
  return card(
    t("guard.view"),
    h("p", { class: "status-line" }, tag(guard.blocked ? t("guard.blocked") : t("guard.open"), guard.blocked ? "bad" : "good"), guard.blocked_until && guard.blocked ? t("guard.until", { time: timeOf(guard.blocked_until) }) : null),
    h("ul", { class: "meters" }, gauge(t("guard.wrong", { seconds: String(guard.window_seconds) }), guard.wrong_calls), gauge(t("guard.quick", { seconds: String(guard.read_interval) }), guard.quick_reads)),
    guard.strict ? null : h("p", { class: "soft" }, t("guard.lenient")),
  );
}
