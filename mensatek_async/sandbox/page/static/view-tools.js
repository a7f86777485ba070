/** The controls: clock, credits, faults, block, contracts, how to connect, and starting afresh. */

import { act } from "./api.js";
import { sure } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { creditsOf, dayOf, localOf, momentOf, timeOf } from "./format.js";
import { guardLine } from "./guard-view.js";
import { t } from "./i18n.js";
import { attempt, notice } from "./notices.js";
import { button, card, chip, choice, field, newId, tag, terms, worker } from "./parts.js";
import { STEPS } from "./sidebar.js";
import { statusOf, wordsOf } from "./statuses.js";
import { get, watch } from "./store.js";

const SCALES = [1, 10, 60, 600, 3600];

/**
 * @param {HTMLElement} root where
 * @returns {import("./app.js").View} the view
 */
export function tools(root) {
  const grid = h("div", { class: "grid" });
  fill(root, h("div", { class: "page-head" }, h("h1", {}, t("nav.tools")), h("p", { class: "soft" }, t("tools.words"))), grid);
  const parts = [clockCard(), creditsCard(), faultsCard(), blockCard(), contractsCard(), connectCard(), magicCard(), resetCard()];
  fill(grid, parts.map((part) => part.element));
  const draw = () => {
    if (get("state")) for (const part of parts) part.draw?.();
  };
  draw();
  const stop = watch(["state", "clock"], draw);
  return { show() {}, close: stop };
}

/** Sets an input unless somebody is at it. @param {any} input @param {string} value */
function keep(input, value) {
  if (input !== document.activeElement && input.dataset.touched !== "yes") input.value = value;
}

/** @typedef {{ element: HTMLElement, draw?: () => void }} Part */

/** @returns {Part} */
function clockCard() {
  const time = h("p", { class: "big" });
  const steps = STEPS.map(([key, seconds]) => worker(t(`${key}.short`), () => act("clock", { step: seconds }), "", { label: t(String(key)) }));
  const until = h("input", { type: "datetime-local" });
  const scale = choice(SCALES.map((n) => [String(n), n === 1 ? t("scale.real") : `× ${n}`]), "1", {
    on: { change: () => attempt(scale, () => act("clock", { scale: Number(scale.value) }), t("saved")) },
  });
  const step = () => act("clock", { to: momentOf(until.value).toISOString() });
  const going = worker(t("clock.go"), async () => (until.value ? step() : notice(t("clock.when"), "bad")), "");
  return {
    element: card(
      t("clock"),
      time,
      h("p", { class: "soft" }, t("clock.words")),
      h("div", { class: "row wrap", role: "group", "aria-label": t("clock.step") }, steps),
      h("div", { class: "inline-form" }, field(t("clock.to"), until), going),
      field(t("clock.pace"), scale),
    ),
    draw() {
      const clock = get("clock");
      time.textContent = `${dayOf(clock.now)}, ${timeOf(clock.now)}`;
      const own = String(clock.scale);
      if (![...scale.options].some((option) => option.value === own)) scale.append(h("option", { value: own }, `× ${own}`));
      keep(scale, own);
      if (!until.value) keep(until, localOf(clock.now));
    },
  };
}

/** @returns {Part} */
function creditsCard() {
  const told = h("dd", {});
  const used = h("dd", {});
  const prices = h("dd", {});
  const left = h("input", { type: "number", min: "0", step: "any", inputmode: "decimal" });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (left.value) attempt(save, () => act("credits", { left: left.value }), t("saved"));
  };
  const save = h("button", { type: "submit", class: "button plain" }, t("set"));
  const none = worker(t("credits.none"), () => act("credits", { left: "0" }), t("credits.none.done"), { kind: "danger" });
  return {
    element: card(
      t("credits"),
      h("dl", { class: "terms" }, h("div", {}, h("dt", {}, t("credits.left")), told), h("div", {}, h("dt", {}, t("credits.spent")), used), h("div", {}, h("dt", {}, t("price")), prices)),
      h("form", { class: "inline-form", on: { submit } }, field(t("credits.set"), left), save, none),
    ),
    draw() {
      const { credits } = get("state");
      told.textContent = creditsOf(credits.left);
      used.textContent = creditsOf(credits.used);
      prices.textContent = t("price.both", { plain: creditsOf(credits.price), certified: creditsOf(credits.certified_price) });
    },
  };
}

/** @returns {Part} */
function faultsCard() {
  const latency = h("input", { type: "number", min: "0", max: "60", step: "0.1", inputmode: "decimal" });
  const rate = h("input", { type: "range", min: "0", max: "100", step: "5" });
  const shown = h("output", {});
  const inputs = [latency, rate];
  for (const input of inputs)
    input.addEventListener("input", () => {
      input.dataset.touched = "yes"; // until it is applied, news from the sandbox leave it alone
      shown.textContent = `${rate.value} %`;
    });
  const applied = () => inputs.forEach((input) => delete input.dataset.touched);
  const kind = h("select", {});
  const active = h("p", { class: "status-line" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = { latency: Number(latency.value || 0), error_rate: Number(rate.value) / 100, error_kind: kind.value };
    if (await attempt(save, () => act("faults", body), t("saved"))) applied();
  };
  const save = h("button", { type: "submit", class: "button main" }, t("apply"));
  const clear = worker(
    t("faults.clear"),
    () => {
      applied();
      return act("faults", { clear: true, latency: 0, error_rate: 0 });
    },
    t("faults.cleared"),
  );
  const rateField = field(t("faults.rate"), rate);
  rateField.append(shown);
  return {
    element: card(
      t("faults"),
      active,
      h("form", { class: "stack", on: { submit } }, field(t("faults.latency"), latency), rateField, field(t("faults.kind"), kind), h("div", { class: "row wrap" }, save, clear)),
    ),
    draw() {
      const { faults } = get("state");
      const on = faults.latency > 0 || faults.error_rate > 0 || faults.armed > 0;
      if (!kind.options.length)
        fill(kind, faults.kinds.map((/** @type {string} */ name) => h("option", { value: name }, t(`fault.${name}`))));
      keep(latency, String(faults.latency));
      keep(rate, String(Math.round(faults.error_rate * 100)));
      if (kind.dataset.drawn !== faults.error_kind) kind.value = kind.dataset.drawn = faults.error_kind;
      shown.textContent = `${rate.value} %`;
      fill(active, tag(on ? t("faults.on") : t("faults.off"), on ? "bad" : "good"), faults.armed ? t("faults.armed", { n: faults.armed }) : null);
    },
  };
}

/** @returns {Part} */
function blockCard() {
  const state = h("div", {});
  const seconds = h("input", { type: "number", min: "1", step: "1", value: "60", inputmode: "numeric" });
  const block = worker(t("block"), () => act("block", { seconds: Number(seconds.value || 60) }), t("blocked"), { kind: "danger" });
  const open = worker(t("unblock"), () => act("unblock"), t("unblocked"));
  return {
    element: card(t("guard"), state, h("p", { class: "soft" }, t("guard.words")), h("div", { class: "inline-form" }, field(t("block.seconds"), seconds), block, open)),
    draw() {
      fill(state, guardLine(get("state").guard));
    },
  };
}

/** @returns {Part} */
function contractsCard() {
  const input = h("input", {
    type: "checkbox",
    role: "switch",
    on: {
      async change() {
        if (!(await attempt(input, () => act("contracts", { by_themselves: input.checked }), t("saved")))) input.checked = !input.checked;
      },
    },
  });
  return {
    element: card(t("contracts"), h("label", { class: "check" }, input, h("span", {}, t("contracts.themselves"))), h("p", { class: "soft" }, t("contracts.words"))),
    draw() {
      if (input.getAttribute("aria-busy") !== "true") input.checked = get("state").contracts_by_themselves;
    },
  };
}

/** @returns {Part} */
function connectCard() {
  const base = h("code", {});
  const user = h("code", {});
  const hooks = h("dd", {});
  const copy = button(t("copy"), async () => {
    const { api } = get("state");
    await navigator.clipboard.writeText(`export MENSATEK_BASE_URL=${api.base_url}\nexport MENSATEK_API_USER=${api.user}\n`);
    notice(t("copied"));
  });
  copy.hidden = !navigator.clipboard;
  const address = terms([
    [t("base.url"), base],
    [t("user"), user],
  ]);
  const version = h("dd", {});
  address.append(h("div", {}, h("dt", {}, t("callbacks")), hooks), h("div", {}, h("dt", {}, t("version")), version));
  return {
    element: card(t("connect"), address, h("p", { class: "soft" }, t("connect.words")), h("div", { class: "row" }, copy)),
    draw() {
      const { api, callbacks } = get("state");
      base.textContent = api.base_url;
      version.textContent = get("state").version;
      user.textContent = api.user;
      hooks.textContent = callbacks.map((/** @type {any} */ one) => one.url).join(", ") || t("none");
    },
  };
}

/** @returns {Part} */
function magicCard() {
  const rows = h("tbody", {});
  const caption = newId("magic");
  return {
    element: card(
      t("magic"),
      h("p", { class: "soft", id: caption }, t("magic.words")),
      h("p", { class: "soft" }, t("magic.sends")),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": caption }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("magic.ending")), h("th", { scope: "col" }, t("status")))), rows)),
    ),
    draw() {
      const { magic } = get("state");
      if (rows.childElementCount === magic.length) return;
      fill(
        rows,
        magic.map((/** @type {{ ending: string, status: number }} */ { ending, status }) => h("tr", {}, h("td", { class: "mono" }, `…${ending}`), h("td", {}, chip(status, statusOf(status).phase), " ", h("span", { class: "soft" }, wordsOf(status))))),
      );
      if (!magic.length) fill(rows, h("tr", {}, h("td", { colspan: "2" }, t("magic.off"))));
    },
  };
}

/** @returns {Part} */
function resetCard() {
  const reset = button(
    t("reset"),
    async () => {
      if (await sure(t("reset.sure"), t("reset.words"), t("reset"))) await attempt(reset, () => act("reset"), t("reset.done"));
    },
    { kind: "danger" },
  );
  return { element: card(t("reset.title"), h("p", { class: "soft" }, t("reset.words")), h("div", { class: "row" }, reset)) };
}
