// A client whose requests a function answers.

import { Client } from "../../../txwebqq/server/page/static/account/client.js";
import { Server } from "../../../txwebqq/server/page/static/server.js";

const forgetful = { getItem: () => null, setItem: () => {}, removeItem: () => {} };

/**
 * A client that is signed on as an account, and whose requests are answered by a
 * function of path and fields.
 */
export function rig(answer, storage = forgetful, number = 5) {
  const told = [];
  const view = new Proxy(
    {},
    { get: (_, name) => (...values) => void told.push([name, ...values]) },
  );
  const fetchURL = async (url, { body, signal }) => {
    const path = url.pathname.slice(1);
    const given = await answer(path, Object.fromEntries(body), signal);
    if (given instanceof Response) {
      return given;
    }
    return new Response(typeof given === "string" ? given : JSON.stringify(given));
  };
  const client = new Client(new Server(fetchURL, "http://server/"), storage, view);
  // Nothing is sent again by itself where a test has no clock.
  client.sending.later = () => {};
  client.session.kept = { number, clientid: "1", psessionid: "p", ack: 0 };
  return { client, told, names: () => told.map(([name]) => name) };
}

/** A storage of a tab. */
export function tab() {
  const values = new Map();
  return {
    values,
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
  };
}

export const ok = (result = {}) => ({ retcode: 0, result });
export const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
export const text = (words) => [{ type: "text", text: words }];
