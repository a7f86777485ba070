/** The file library and the certificates. */

import { act, read } from "./api.js";
import { fill, h, reconcile } from "./dom.js";
import { phoneOf, sizeOf, whenOf } from "./format.js";
import { number, t } from "./i18n.js";
import { sure } from "./dialogs.js";
import { follow } from "./live.js";
import { attempt } from "./notices.js";
import { button, card, chip, download, empty, tag } from "./parts.js";
import { to } from "./router.js";
import { statusOf } from "./statuses.js";

/**
 * @param {HTMLElement} root where
 * @returns {import("./app.js").View} the view
 */
export function files(root) {
  const room = h("p", { class: "soft" });
  const library = h("ul", { class: "table" });
  const noFile = h("div", {});
  const certificates = h("ul", { class: "table" });
  const noCertificate = h("div", {});
  fill(
    root,
    h("div", { class: "page-head" }, h("h1", {}, t("nav.files"))),
    card(t("library"), room, library, noFile),
    card(t("certificates"), h("p", { class: "soft" }, t("certificates.words")), certificates, noCertificate),
  );
  const followers = [
    follow(["files", "messages"], async (signal) => {
      const found = await read("files", {}, signal);
      reconcile(library, found.items, (item) => item.name, fileRow, (item) => JSON.stringify(item));
      room.textContent = t("library.room", {
        n: found.items.length,
        most: number(found.max_files),
        used: sizeOf(found.used_bytes),
        space: sizeOf(found.max_bytes),
      });
      library.hidden = !found.items.length;
      fill(noFile, found.items.length ? null : empty(t("empty.files"), t("empty.files.words")));
    }),
    follow(["messages"], async (signal) => {
      const found = (await read("certificates", {}, signal)).items;
      reconcile(certificates, found, (item) => `${item.message_id}-${item.phone}`, certificateRow, (item) => JSON.stringify(item));
      certificates.hidden = !found.length;
      fill(noCertificate, found.length ? null : empty(t("empty.certificates"), t("empty.certificates.words")));
    }),
  ];
  return { show() {}, close: () => followers.forEach((one) => one.stop()) };
}

/** @param {any} item @returns {HTMLElement} a file */
function fileRow(item) {
  const remove = button(t("delete"), () => erase(item.name, remove), { kind: "danger", label: t("delete.of", { name: item.name }), focus: "delete" });
  return h(
    "li",
    {},
    h("div", { class: "cell-main" }, h("strong", {}, item.name), h("span", { class: "soft" }, `${sizeOf(item.size)} · ${whenOf(item.uploaded_at)}`), item.delete_after_certification ? tag(t("file.goes")) : null),
    h("div", { class: "row" }, download(item.url, t("download"), item.name, t("download.of", { name: item.name })), remove),
  );
}

/** @param {string} name @param {HTMLElement} control */
async function erase(name, control) {
  if (!(await sure(t("delete.sure", { name }), t("delete.words"), t("delete")))) return;
  await attempt(control, () => act(`files/${encodeURIComponent(name)}`, {}, "DELETE"), t("deleted", { name }));
  /** @type {HTMLElement | null} */ (document.querySelector("#view h1"))?.focus();
}

/** @param {any} item @returns {HTMLElement} a certificate */
function certificateRow(item) {
  const about = t("certificate.of", { phone: phoneOf(item.phone), id: String(item.message_id) });
  return h(
    "li",
    {},
    h(
      "div",
      { class: "cell-main" },
      h("a", { href: to("messages", item.phone, item.message_id) }, phoneOf(item.phone)),
      h("span", { class: "soft" }, [item.reference, `${item.message_id}`, whenOf(item.at)].filter(Boolean).join(" · ")),
      chip(item.status, statusOf(item.status).phase),
    ),
    h(
      "div",
      { class: "row" },
      download(item.url, "PDF", `certificate-${item.message_id}-${item.phone}.pdf`, `PDF, ${about}`),
      download(item.zip_url, "ZIP", `certificates-${item.message_id}.zip`, t("certificate.zip", { id: String(item.message_id) })),
    ),
  );
}
