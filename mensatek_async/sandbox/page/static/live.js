/** The stream of changes, and the lists that follow it. */

import { keepToken, read } from "./api.js";
import { get, set } from "./store.js";

const AGAIN_AFTER = 1500;
const PAUSE = 200;

/** @typedef {{ topics: string[], refresh: () => void, stop: () => void }} Follower */

/** @type {Set<Follower>} */
const followers = new Set();

/** Opens the stream; it comes back by itself, and everything shown is then fetched again. */
export function connect() {
  const stream = new EventSource("/_sandbox/events");
  stream.addEventListener("hello", (event) => {
    keepToken(JSON.parse(event.data).csrf);
    set({ connection: "live" });
    for (const follower of followers) follower.refresh();
  });
  stream.addEventListener("change", (event) => {
    const { topics } = JSON.parse(event.data);
    for (const follower of followers)
      if (follower.topics.some((topic) => topics.includes(topic))) follower.refresh();
  });
  stream.addEventListener("clock", (event) => set({ clock: JSON.parse(event.data) }));
  stream.addEventListener("error", () => {
    set({ connection: get("connection") === undefined ? "connecting" : "lost" });
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(connect, AGAIN_AFTER);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}

/**
 * Loads something now, and again whenever its topics change; never twice at once, and at most five times a second.
 *
 * @param {string[]} topics of the stream
 * @param {(signal: AbortSignal) => Promise<void>} load fetches and keeps it
 * @returns {Follower} to refresh at once, or to stop
 */
export function follow(topics, load) {
  /** @type {AbortController | null} */
  let running = null;
  let wanted = false;
  let stopped = false;

  async function run() {
    running = new AbortController();
    try {
      await load(running.signal);
    } catch (error) {
      if (!running.signal.aborted) set({ trouble: error });
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    running = null;
    if (wanted && !stopped) {
      wanted = false;
      run();
    }
  }

  const follower = {
    topics,
    refresh() {
      if (running) wanted = true;
      else if (!stopped) run();
    },
    stop() {
      stopped = true;
      running?.abort();
      followers.delete(follower);
    },
  };
  followers.add(follower);
  follower.refresh();
  return follower;
}

const GENERAL = ["messages", "phones", "files", "calls", "callbacks", "credits", "guard", "faults", "clock", "settings"];

/** Follows what the frame shows: credits, counts, clock, guard. */
export function followState() {
  follow(GENERAL, async (signal) => {
    const state = await read("state", {}, signal);
    keepToken(state.csrf);
    set({ state, clock: state.clock });
  });
}
