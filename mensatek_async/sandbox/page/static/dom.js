/** Elements without markup: whatever comes from outside goes in as text nodes and attributes, never as HTML. */

/** @typedef {Node | string | number | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Builds an element.
 *
 * @param {string} tag its name
 * @param {Record<string, unknown>} [props] attributes; `on` holds listeners, `data` data attributes; true sets an
 *   empty attribute, and false, null and undefined set none
 * @param {...(Child | Child[])} children nodes, or text
 * @returns {any} the element
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") listen(element, /** @type {Record<string, EventListener>} */ (value));
    else if (name === "data") Object.assign(element.dataset, value);
    else attribute(element, name, value);
  }
  element.append(...nodes(children));
  return element;
}

/**
 * Sets an attribute, or takes it away.
 *
 * @param {Element} element whose
 * @param {string} name which; `value`, `checked` and `indeterminate` set the property
 * @param {unknown} value true is an empty attribute; false, null and undefined remove it
 */
export function attribute(element, name, value) {
  if (name.startsWith("on")) throw new Error("Listeners go into `on`");
  if (name === "value" || name === "checked") /** @type {any} */ (element)[name] = value;
  else if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else if (name === "href") element.setAttribute(name, safe(String(value)));
  else element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * A URL that runs nothing: one of this page, or of the web.
 *
 * @param {string} url what was asked for
 * @returns {string} it, or `#` when it has any other scheme
 */
function safe(url) {
  return /^(#|\/(?!\/)|https?:\/\/)/i.test(url) ? url : "#";
}

/** @param {Element} element @param {Record<string, EventListener>} listeners */
function listen(element, listeners) {
  for (const [event, listener] of Object.entries(listeners)) element.addEventListener(event, listener);
}

/** @param {any[]} children @returns {(Node | string)[]} */
function nodes(children) {
  return children
    .flat(2)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * A picture of the sprite; decoration only, so hidden from screen readers.
 *
 * @param {string} name its id in icons.svg
 * @returns {SVGElement} the picture
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/_sandbox/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Makes a parent's children those of a list, reusing, moving and removing as few elements as it can.
 *
 * @template T
 * @param {Element} parent whose children they are; it must have no others
 * @param {T[]} items what to show
 * @param {(item: T) => string} key tells items apart
 * @param {(item: T) => HTMLElement} make builds an item's element
 * @param {(item: T) => string} stamp changes when the element must be built anew
 */
export function reconcile(parent, items, key, make, stamp) {
  const old = new Map([...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  /** @type {Element | null} */
  let after = null;
  for (const item of items) {
    const name = key(item);
    const before = /** @type {HTMLElement | undefined} */ (old.get(name));
    old.delete(name);
    let element = before;
    if (!before || before.dataset.stamp !== stamp(item)) {
      element = make(item);
      element.dataset.key = name;
      element.dataset.stamp = stamp(item);
      if (before) replace(before, element, focused);
    }
    const place = after ? after.nextElementSibling : parent.firstElementChild;
    if (element !== place) parent.insertBefore(/** @type {Node} */ (element), place);
    after = /** @type {Element} */ (element);
  }
  for (const gone of old.values()) gone.remove();
}

/** Puts a new element in an old one's place; the focus stays. @param {HTMLElement} before @param {HTMLElement} element @param {HTMLElement | null} focused */
function replace(before, element, focused) {
  const inside = focused !== null && before.contains(focused);
  const tag = inside ? focused.dataset.focus : undefined;
  before.replaceWith(element);
  if (!inside) return;
  const target = tag ? element.querySelector(`[data-focus="${CSS.escape(tag)}"]`) : element.querySelector("a, button");
  /** @type {HTMLElement | null} */ (target)?.focus({ preventScroll: true });
}

/**
 * Replaces all children of an element.
 *
 * @param {Element} parent whose
 * @param {...(Child | Child[])} children the new ones
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
}

/** @param {string} selector @returns {any} the element of the page's frame; it is there */
export function find(selector) {
  return document.querySelector(selector);
}
