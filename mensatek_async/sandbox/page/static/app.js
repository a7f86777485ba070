/** The page starts here. */

import { showHelp } from "./dialogs.js";
import { find } from "./dom.js";
import { t, translate, whenSpoken } from "./i18n.js";
import { listenForKeys } from "./keys.js";
import { clearFilters } from "./list-filters.js";
import { connect, followState } from "./live.js";
import { notice, wordsOfTrouble } from "./notices.js";
import { go, here } from "./router.js";
import { markSection, redrawSidebar, startSidebar } from "./sidebar.js";
import { get, watch } from "./store.js";
import { calls } from "./view-calls.js";
import { files } from "./view-files.js";
import { messages } from "./view-messages.js";
import { scheduled } from "./view-scheduled.js";
import { tools } from "./view-tools.js";

/**
 * @typedef {object} View what is shown in the middle
 * @property {(args: string[]) => void} show another place of the same view
 * @property {() => void} close it goes
 * @property {Record<string, () => unknown>} [keys] its own shortcuts
 */

/** @type {Record<string, (root: HTMLElement, args: string[]) => View>} */
const VIEWS = { messages, scheduled, calls, files, tools };
const SECTIONS = Object.keys(VIEWS);

/** @type {{ name: string, view: View } | null} */
let open = null;

/** @param {boolean} [anew] build the view even if it is the one shown */
function show(anew = false) {
  const place = here();
  const name = place.name in VIEWS ? place.name : "messages";
  if (open && open.name === name && !anew) return open.view.show(place.args);
  const first = open === null;
  const moved = open !== null && open.name !== name;
  open?.view.close();
  const root = document.createElement("div");
  root.className = `view view-${name}`;
  find("#view").replaceChildren(root);
  open = { name, view: VIEWS[name](root, place.args) };
  markSection(name);
  document.title = `${t(`nav.${name}`)} · ${t("title")}`;
  if (!first && moved) heading()?.focus();
}

/** @returns {HTMLElement | null} what says where the reader is now */
function heading() {
  const title = find("#view h1");
  title?.setAttribute("tabindex", "-1");
  return title;
}

/** Takes an action of the open view. @param {string} key */
const own = (key) => () => open?.view.keys?.[key]?.();

listenForKeys({
  ...Object.fromEntries(SECTIONS.map((name, at) => [String(at + 1), () => go(name)])),
  "?": showHelp,
  "/": own("/"),
  j: own("j"),
  k: own("k"),
  r: own("r"),
  Escape: own("Escape"),
});
addEventListener("hashchange", () => show());
find(".skip").addEventListener("click", (/** @type {Event} */ event) => {
  event.preventDefault(); // the address says which view is open
  find("#main").focus();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) connect(); // back from where the browser kept it, its stream closed
});
whenSpoken(() => {
  redrawSidebar();
  show(true);
});
watch(["trouble"], () => {
  // A lost connection is said by the banner.
  if (get("connection") !== "lost" && get("trouble")?.code !== "gone") notice(wordsOfTrouble(get("trouble")), "bad");
});
/** @type {(() => void)} */
const started = watch(["state"], () => {
  started();
  show(true); // statuses have their words now
});

translate(document);
startSidebar();
redrawSidebar();
clearFilters();
show();
connect();
followState();
