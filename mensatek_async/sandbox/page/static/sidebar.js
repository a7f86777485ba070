/** The page's frame: sections with their counts, connection, credits, clock, guard, language. */

import { act } from "./api.js";
import { fill, find, h } from "./dom.js";
import { creditsOf, dayOf, timeOf } from "./format.js";
import { current, number, speak, t } from "./i18n.js";
import { showHelp } from "./dialogs.js";
import { button, worker } from "./parts.js";
import { get, watch } from "./store.js";

export const STEPS = [
  ["step.minute", 60],
  ["step.hour", 3_600],
  ["step.day", 86_400],
];

/** Fills the frame, and keeps it right. */
export function startSidebar() {
  find("#help").addEventListener("click", showHelp);
  watch(["state"], drawCounts);
  watch(["state"], drawGauges);
  watch(["clock"], drawClock);
  watch(["connection"], drawConnection);
}

/** Builds everything again, such as after a change of language. */
export function redrawSidebar() {
  fill(
    find("#languages"),
    /** @type {const} */ ([["en", "English"], ["es", "Español"]]).map(([language, name]) =>
      button(language.toUpperCase(), () => speak(language), {
        kind: "quiet",
        label: name,
        pressed: language === current(),
        focus: language,
      }),
    ),
  );
  buildGauges();
  drawCounts();
  drawGauges();
  drawClock();
  drawConnection();
}

/** @param {string} view marks its section as the current one */
export function markSection(view) {
  for (const link of document.querySelectorAll(".sections a"))
    if (/** @type {HTMLElement} */ (link).dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
}

function buildGauges() {
  const steps = STEPS.map(([key, seconds]) =>
    worker(t(`${key}.short`), () => act("clock", { step: seconds }), "", { kind: "small", label: t(String(key)) }),
  );
  fill(
    find("#gauges"),
    h("div", { class: "gauge" }, h("h2", {}, t("credits")), h("p", { id: "gauge-credits" }), h("p", { id: "gauge-used", class: "soft" })),
    h(
      "div",
      { class: "gauge" },
      h("h2", {}, t("clock")),
      h("p", { id: "gauge-clock" }),
      h("p", { id: "gauge-day", class: "soft" }),
      h("div", { class: "row tight", role: "group", "aria-label": t("clock.step") }, steps),
    ),
    h("div", { class: "gauge" }, h("h2", {}, t("guard")), h("p", { id: "gauge-guard" })),
  );
}

function drawCounts() {
  const counts = get("state")?.counts ?? {};
  for (const name of ["texts", "scheduled", "calls", "files"]) {
    const badge = find(`#count-${name}`);
    const shown = counts[name] ? number(counts[name]) : "";
    badge.hidden = !shown;
    if (badge.textContent !== shown) badge.textContent = shown;
  }
}

function drawGauges() {
  const state = get("state");
  if (!state) return;
  fill(find("#gauge-credits"), h("strong", {}, creditsOf(state.credits.left)), ` ${t("left")}`);
  fill(find("#gauge-used"), t("credits.used", { amount: creditsOf(state.credits.used) }));
  const { blocked, blocked_until: until } = state.guard;
  const words = !blocked ? t("guard.open") : until ? t("guard.until", { time: timeOf(until) }) : t("guard.blocked");
  const release = worker(t("unblock"), () => act("unblock"), t("unblocked"), { kind: "small", focus: "unblock" });
  const held = find("#gauge-guard");
  if (held.dataset.shown === words) return;
  held.dataset.shown = words;
  fill(held, h("span", { class: `dot ${blocked ? "bad" : "good"}` }), words, blocked ? [" ", release] : null);
}

function drawClock() {
  const clock = get("clock");
  if (!clock) return;
  find("#gauge-clock").textContent = timeOf(clock.now);
  const pace = clock.standing ? t("clock.standing") : clock.scale === 1 ? t("clock.spain") : `× ${number(clock.scale)}`;
  find("#gauge-day").textContent = `${dayOf(clock.now)} · ${pace}`;
}

function drawConnection() {
  const connection = get("connection") ?? "connecting";
  find("#link-state").dataset.state = connection;
  find("#link-words").textContent = t(`connection.${connection}`);
  const banner = find("#banner");
  banner.textContent = connection === "lost" ? t("connection.banner") : "";
  banner.hidden = connection !== "lost";
}
