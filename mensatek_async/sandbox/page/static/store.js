/** What the page knows, and who wants to be told when it changes. */

/** @typedef {Record<string, any>} State */

/** @type {State} */
const state = {};
/** @type {Map<string, Set<() => void>>} */
const listeners = new Map();
/** @type {Set<() => void>} */
const due = new Set();
let planned = false;

/** @param {string} key @returns {any} what is known under it */
export function get(key) {
  return state[key];
}

/**
 * Learns something; whoever listens is called once per frame, however much there is to learn.
 *
 * @param {State} news by key
 */
export function set(news) {
  for (const [key, value] of Object.entries(news)) {
    state[key] = value;
    for (const listener of listeners.get(key) ?? []) due.add(listener);
  }
  if (due.size && !planned) {
    planned = true;
    requestAnimationFrame(flush);
  }
}

function flush() {
  planned = false;
  const now = [...due];
  due.clear();
  for (const listener of now) listener();
}

/**
 * Asks to be told.
 *
 * @param {string[]} keys which changes
 * @param {() => void} listener whom to call
 * @returns {() => void} ends it
 */
export function watch(keys, listener) {
  for (const key of keys) {
    if (!listeners.has(key)) listeners.set(key, new Set());
    listeners.get(key)?.add(listener);
  }
  return () => {
    for (const key of keys) listeners.get(key)?.delete(listener);
    due.delete(listener);
  };
}
