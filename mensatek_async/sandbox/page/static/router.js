/** Which view is shown: the part of the address after #, such as #/phones/34600000000/10573758. */

/** @typedef {{ name: string, args: string[] }} Place */

/** @returns {Place} where the address points */
export function here() {
  const [name, ...args] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  return { name: name || "messages", args };
}

/** @param {string} part @returns {string} */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The address of a place.
 *
 * @param {string} name of the view
 * @param {...(string | number)} args what it shows
 * @returns {string} for an href
 */
export function to(name, ...args) {
  return `#/${[name, ...args].map((part) => encodeURIComponent(part)).join("/")}`;
}

/** @param {string} name @param {...(string | number)} args */
export function go(name, ...args) {
  location.hash = to(name, ...args);
}
