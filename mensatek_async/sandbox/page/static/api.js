/** Requests to the sandbox: JSON in and out, with the token that actions need. */

let csrf = "";

/** What the sandbox refused, or that it could not be asked at all. */
export class Problem extends Error {
  /**
   * @param {string} code `gone` when there was no answer, else the sandbox's own
   * @param {string} message its English sentence
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @param {string} token goes with every action from now on */
export function keepToken(token) {
  csrf = token;
}

/**
 * Reads something.
 *
 * @param {string} path below /_sandbox/
 * @param {Record<string, string | number | null | undefined>} [query] empty values are left out
 * @param {AbortSignal} [signal] ends it
 * @returns {Promise<any>} the answer
 */
export async function read(path, query = {}, signal) {
  const asked = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const search = new URLSearchParams(asked.map(([name, value]) => [name, String(value)]));
  return answer(await ask(`/_sandbox/${path}${asked.length ? `?${search}` : ""}`, { signal }));
}

/**
 * Does something.
 *
 * @param {string} path below /_sandbox/
 * @param {object} [body] what it needs
 * @param {"POST" | "DELETE"} [method] how
 * @returns {Promise<any>} the answer
 */
export async function act(path, body = {}, method = "POST") {
  try {
    return await answer(await ask(`/_sandbox/${path}`, order(body, method)));
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "csrf") throw problem;
    keepToken((await read("state")).csrf); // it was started anew since
    return answer(await ask(`/_sandbox/${path}`, order(body, method)));
  }
}

/** @param {object} body @param {string} method @returns {RequestInit} */
function order(body, method) {
  const headers = { "Content-Type": "application/json", "X-Sandbox-Token": csrf };
  return { method, headers, body: method === "DELETE" ? undefined : JSON.stringify(body) };
}

/** @param {string} url @param {RequestInit} init @returns {Promise<Response>} */
async function ask(url, init) {
  try {
    return await fetch(url, { cache: "no-store", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem("gone", "");
  }
}

/** @param {Response} response @returns {Promise<any>} */
async function answer(response) {
  if (response.ok) return response.json();
  const told = await response.json().catch(() => ({}));
  throw new Problem(String(told.error?.code ?? response.status), String(told.error?.message ?? ""));
}
