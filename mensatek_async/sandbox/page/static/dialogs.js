/** The page's dialogs: a question before what cannot be undone, and the help on shortcuts. */

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { shortcuts, shortcutsOn, turnShortcuts } from "./keys.js";
import { button, newId } from "./parts.js";

/**
 * Shows a dialog until it is closed; the focus then goes back by itself.
 *
 * @param {string} title its heading
 * @param {(close: (answer: string) => void) => HTMLElement[]} content what is in it
 * @returns {Promise<string>} the answer, "" when it was closed without
 */
function show(title, content) {
  const id = newId("dialog");
  const dialog = h("dialog", { "aria-labelledby": id });
  dialog.append(h("h2", { id }, title), ...content((answer) => dialog.close(answer)));
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.showModal();
  });
}

/**
 * Asks before something that cannot be undone.
 *
 * @param {string} title the question
 * @param {string} words what will happen
 * @param {string} yes the button's words
 * @returns {Promise<boolean>} whether to do it
 */
export async function sure(title, words, yes) {
  const answer = await show(title, (close) => [
    h("p", {}, words),
    h(
      "div",
      { class: "row end" },
      button(t("keep"), () => close("")),
      button(yes, () => close("yes"), { kind: "danger" }),
    ),
  ]);
  return answer === "yes";
}

/** Shows the shortcuts, with the switch that turns single keys off. */
export function showHelp() {
  show(t("shortcuts"), (close) => {
    const off = h("input", { type: "checkbox", checked: shortcutsOn(), on: { change: () => turnShortcuts(off.checked) } });
    return [
      h(
        "table",
        { class: "keys" },
        h("thead", { class: "unseen" }, h("tr", {}, h("th", { scope: "col" }, t("key")), h("th", { scope: "col" }, t("does")))),
        h(
          "tbody",
          {},
          shortcuts().map(([keys, words]) =>
            h("tr", {}, h("td", {}, keys.flatMap((key) => [h("kbd", {}, key), " "])), h("td", {}, words)),
          ),
        ),
      ),
      h("label", { class: "check" }, off, h("span", {}, t("shortcuts.on"))),
      h("div", { class: "row end" }, button(t("close"), () => close(""), { kind: "main" })),
    ];
  });
}
