import assert from "node:assert/strict";
import { test } from "node:test";

import { Server } from "../../../txwebqq/server/page/static/server.js";
import {
  LoginRefused,
  Session,
  inOrder,
} from "../../../txwebqq/server/page/static/session.js";

/** A storage of the tab. */
class Storage {
  values = new Map();
  getItem(name) {
    return this.values.get(name) ?? null;
  }
  setItem(name, value) {
    this.values.set(name, value);
  }
  removeItem(name) {
    this.values.delete(name);
  }
}

/**
 * A session against a list of replies: each is for a path, and a text, an object, or a
 * function that returns one or throws.
 */
function rig(replies) {
  const asked = [];
  const states = [];
  const events = [];
  let wake;
  const storage = new Storage();
  const fetchURL = async (url, { body, signal }) => {
    const path = url.pathname.slice(1);
    asked.push([path, Object.fromEntries(body)]);
    if (path === "channel/logout2") {
      return new Response('{"retcode":0,"result":"ok"}');
    }
    const at = replies.findIndex(([wanted]) => wanted === path);
    if (at < 0) {
      // A poll that is held.
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        wake?.();
      });
    }
    const [[, reply, headers = {}]] = replies.splice(at, 1);
    if (reply instanceof Error) {
      throw reply;
    }
    const text = typeof reply === "string" ? reply : JSON.stringify(reply);
    return new Response(text, { headers });
  };
  const listener = {
    stateChanged: (state) => states.push(state),
    joined: async (isNew) => asked.push(["joined", isNew]),
    eventsReceived: (each) => events.push(...each),
  };
  const server = new Server(fetchURL, "http://server/");
  const session = new Session(server, storage, listener);
  const held = new Promise((resolve) => {
    wake = resolve;
  });
  return { session, storage, asked, states, events, held };
}

const LOGIN = ["login", "ptuiCB('0','0','','0','', 'A');", { "x-webqq-ptwebqq": "t1" }];
const JOIN = [
  "channel/login2",
  { retcode: 0, result: { uin: 5, psessionid: "p1", vfwebqq: "v", status: "online" } },
];
/** The answer to a question with the ticket of a session that is not known. */
const UNKNOWN = ["channel/get_online_buddies2", { retcode: 121, t: "0" }];
const CHALLENGE = { code: "!ABC", salt: new Uint8Array(8) };

test("a sign-on, and its first polls", async () => {
  const poll = { retcode: 0, ack: 9, result: [{ poll_type: "x", value: { time: 1 } }] };
  const { session, storage, asked, states, events, held } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", poll],
    ["channel/poll2", { ...poll, ack: 9 }],
  ]);
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await held;
  assert.deepEqual(states, ["signingOn", "online"]);
  assert.equal(events.length, 1, "the repeated reply is dropped");
  const kept = JSON.parse(storage.getItem("webqq-session"));
  assert.equal(kept.ptwebqq, "t1");
  assert.equal(kept.ack, 9);
  assert.equal(JSON.stringify(kept).includes("hash"), false);
  const polls = asked.filter(([path]) => path === "channel/poll2");
  assert.equal(JSON.parse(polls[1][1].r).ack, 9);
  await session.signOff();
  assert.equal(storage.getItem("webqq-session"), null);
});

test("a wrong password", async () => {
  const { session, states } = rig([["login", "ptuiCB('3','0','','0','no', '5');"]]);
  await assert.rejects(
    session.signOn(5, new Uint8Array(16), CHALLENGE, "online"),
    (error) => error instanceof LoginRefused && error.code === 3,
  );
  assert.deepEqual(states, ["signingOn", "signedOff"]);
});

test("a poll that is held does not hide that the server is back", async () => {
  const { session, states, asked, held } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", new Error("reset")],
  ]);
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await held;
  assert.deepEqual(states, ["signingOn", "online", "reconnecting", "online"]);
  assert.deepEqual(asked.filter(([path]) => path === "joined").at(-1), ["joined", false]);
  await session.signOff();
});

test("a session that is gone is resumed", async () => {
  const { session, states, asked, held } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", { retcode: 121, t: "0" }],
    JOIN,
  ]);
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await held;
  assert.deepEqual(states, ["signingOn", "online", "online"]);
  const joins = asked.filter(([path]) => path === "channel/login2");
  assert.equal(JSON.parse(joins[1][1].r).psessionid, "p1");
  assert.deepEqual(asked.filter(([path]) => path === "joined").at(-1), ["joined", false]);
  await session.signOff();
});

test("a session that the server has forgotten is signed on anew", async () => {
  const { session, states, held } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", { retcode: 121 }],
    ["channel/login2", { retcode: 103, errmsg: "" }],
    UNKNOWN,
    ["check", "ptui_checkVC('0','!DEF','\\x00');"],
    LOGIN,
    JOIN,
  ]);
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await held;
  assert.equal(states.at(-1), "online");
  await session.signOff();
});

test("after a reload only the server's memory helps", async () => {
  const { session, storage, states } = rig([
    ["channel/login2", { retcode: 103, errmsg: "" }],
    UNKNOWN,
  ]);
  const kept = { number: 5, ptwebqq: "t", clientid: "1", psessionid: "p", ack: 3 };
  storage.setItem("webqq-session", JSON.stringify({ ...kept, status: "away" }));
  assert.equal(await session.resume(), true);
  assert.deepEqual(states, ["signingOn", "expired"]);
  assert.equal(session.stored(), null);
});

test("a session that was replaced while the page slept is not signed on anew", async () => {
  const { session, states, storage, asked } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", { retcode: 121 }],
    ["channel/login2", { retcode: 103, errmsg: "" }],
    ["channel/get_online_buddies2", { retcode: 100, errmsg: "" }],
  ]);
  const ended = new Promise((resolve) => {
    session.listener.stateChanged = (state) => {
      states.push(state);
      if (state === "kicked") {
        resolve();
      }
    };
  });
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await ended;
  assert.equal(asked.filter(([path]) => path === "login").length, 1);
  assert.equal(storage.getItem("webqq-session"), null);
});

test("a disabled account is not signed on again and again", async () => {
  const { session, states } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", { retcode: 121 }],
    ["channel/login2", { retcode: 103, errmsg: "" }],
    UNKNOWN,
    ["check", "ptui_checkVC('0','!DEF','\\x00');"],
    ["login", "ptuiCB('19','0','','0','', '');"],
  ]);
  const ended = new Promise((resolve) => {
    session.listener.stateChanged = (state) => {
      states.push(state);
      if (state === "expired") {
        resolve();
      }
    };
  });
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await ended;
  assert.equal(session.stored(), null);
});

test("a reply for another account is no session", async () => {
  const other = { retcode: 0, result: { ...JOIN[1].result, uin: 6 } };
  const { session, storage, states } = rig([["channel/login2", other], UNKNOWN]);
  const kept = { number: 5, ptwebqq: "t", clientid: "1", psessionid: "p", ack: 3 };
  storage.setItem("webqq-session", JSON.stringify(kept));
  await session.resume();
  assert.equal(states.at(-1), "expired");
});

test("a kick ends the session for good", async () => {
  const kick = { poll_type: "kick_message", value: {} };
  const { session, states, storage } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", { retcode: 0, ack: 1, result: [kick] }],
  ]);
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(states.at(-1), "kicked");
  assert.equal(storage.getItem("webqq-session"), null);
});

test("a new ptwebqq is kept", async () => {
  const { session, held } = rig([
    LOGIN,
    JOIN,
    ["channel/poll2", { retcode: 116, p: "t2" }],
  ]);
  await session.signOn(5, new Uint8Array(16), CHALLENGE, "online");
  await held;
  assert.equal(session.stored().ptwebqq, "t2");
  await session.signOff();
});

test("events are put in order, the kick last", () => {
  const events = [
    { poll_type: "kick_message", value: {} },
    { poll_type: "b", value: { time: 5 } },
    { poll_type: "a", value: { time: 4 } },
    { poll_type: "status", value: {} },
  ];
  assert.deepEqual(
    inOrder(events).map((each) => each.poll_type),
    ["status", "a", "b", "kick_message"],
  );
});
