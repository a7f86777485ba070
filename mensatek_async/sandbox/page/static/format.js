/** Moments, phones and sizes as people read them; all moments in Spanish time, as the provider has them. */

import { current, number, t } from "./i18n.js";

const ZONE = "Europe/Madrid";
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} name @param {Intl.DateTimeFormatOptions} options @returns {Intl.DateTimeFormat} */
function format(name, options) {
  const key = `${current()} ${name}`;
  if (!formats.has(key))
    formats.set(key, new Intl.DateTimeFormat(current() === "es" ? "es-ES" : "en-GB", { timeZone: ZONE, ...options }));
  return /** @type {Intl.DateTimeFormat} */ (formats.get(key));
}

/** @param {string | Date} moment @returns {string} such as 10:30:05 */
export function timeOf(moment) {
  return format("time", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(moment));
}

/** @param {string | Date} moment @returns {string} such as 8 Jan 2027 */
export function dayOf(moment) {
  return format("day", { day: "numeric", month: "short", year: "numeric" }).format(new Date(moment));
}

/** @param {string | Date} moment @returns {string} day and time */
export function whenOf(moment) {
  return `${dayOf(moment)}, ${timeOf(moment)}`;
}

/**
 * The time of today's moments, the day of others.
 *
 * @param {string} moment which
 * @param {string} [now] the sandbox's clock
 * @returns {string} short
 */
export function shortOf(moment, now) {
  if (now && dayOf(moment) === dayOf(now)) return timeOf(moment);
  const short = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return format("short", /** @type {Intl.DateTimeFormatOptions} */ (short)).format(new Date(moment));
}

/**
 * How far a moment is from now.
 *
 * @param {string} moment which
 * @param {string} now the sandbox's clock
 * @returns {string} such as "in 2 hours"
 */
export function distanceOf(moment, now) {
  const seconds = (Date.parse(moment) - Date.parse(now)) / 1000;
  const words = new Intl.RelativeTimeFormat(current(), { numeric: "always" });
  for (const [unit, length] of /** @type {[Intl.RelativeTimeFormatUnit, number][]} */ (UNITS))
    if (Math.abs(seconds) >= length) return words.format(Math.round(seconds / length), unit);
  return words.format(Math.round(seconds), "second");
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** @param {string} digits international @returns {string} such as +34 600 000 000 */
export function phoneOf(digits) {
  const spanish = /^34(\d{3})(\d{3})(\d{3})$/.exec(digits);
  return spanish ? `+34 ${spanish[1]} ${spanish[2]} ${spanish[3]}` : `+${digits}`;
}

/** @param {number} bytes @returns {string} such as 12.3 kB */
export function sizeOf(bytes) {
  if (bytes < 1000) return t("bytes", { n: bytes });
  return bytes < 1e6 ? `${number(Math.round(bytes / 100) / 10)} kB` : `${number(Math.round(bytes / 1e5) / 10)} MB`;
}

/** @param {string} amount a decimal @returns {string} with separators */
export function creditsOf(amount) {
  return number(Number(amount));
}

/** @param {string} moment @returns {string} for an input of the type datetime-local, in Spanish time */
export function localOf(moment) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", {
      timeZone: ZONE,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    })
      .formatToParts(new Date(moment))
      .map((part) => [part.type, part.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/**
 * What an input of the type datetime-local means in Spanish time.
 *
 * @param {string} local such as 2027-01-08T10:30
 * @returns {Date} the moment; of an hour that summer time skips, the one after
 */
export function momentOf(local) {
  const guess = Date.parse(`${local}Z`);
  const offset = (/** @type {number} */ at) => Date.parse(`${localOf(new Date(at).toISOString())}Z`) - at;
  const first = guess - offset(guess);
  return new Date(guess - offset(first));
}
