// @ts-check
// The account that was signed on in this tab last, and the conversation that it had open:
// they outlive a reload of the tab, and a session that another one of the account follows.

/** @typedef {import("./conversations.js").Conversation} Conversation */

/** @typedef {Pick<Conversation, "kind" | "number" | "id">} Place */

const KEY = "webqq-open";

/** The conversation to open again. */
export class LastOpen {
  /**
   * @param {import("./client.js").Client} client
   * @param {Storage} storage of the tab
   */
  constructor(client, storage) {
    this.client = client;
    this.storage = storage;
    /** The number of the account, 0 without one. */
    this.account = 0;
    /** @type {Place | null} */
    this.place = null;
    try {
      const { account, place } = JSON.parse(storage.getItem(KEY) ?? "{}");
      if (Number.isInteger(account)) {
        this.account = account;
        this.place = place;
      }
    } catch {
      // The page itself writes nothing else.
    }
  }

  /** @param {number} account */
  signedOn(account) {
    if (account !== this.account) {
      this.account = account;
      this.place = null;
    }
    this.keep();
  }

  /** Forget all: the account does not come back in this tab. */
  forget() {
    this.account = 0;
    this.place = null;
    this.storage.removeItem(KEY);
  }

  /** @param {Conversation | null} conversation that is open now */
  opened(conversation) {
    this.place = conversation;
    this.keep();
  }

  /** Have it outlive a reload, also after its number has become known. */
  keep() {
    const { account, place } = this;
    if (account === 0) {
      return;
    }
    const kept = place && { kind: place.kind, number: place.number, id: place.id };
    try {
      this.storage.setItem(KEY, JSON.stringify({ account, place: kept }));
    } catch {
      // The tab has no room.
    }
  }

  /**
   * Find the conversation that was open, in a session that has begun.
   * @returns {Promise<Conversation | null>} null if there is none, or another one is open
   *   meanwhile
   */
  async find() {
    const { client, place } = this;
    const found = place === null ? null : await client.unsent.find(place);
    if (place === null || this.place !== place) {
      return null;
    }
    if (found === null) {
      // It is gone.
      this.opened(null);
      return null;
    }
    found.number = place.number;
    const isThere = client.conversations.all.get(found.key) === found;
    // Or the session has ended meanwhile.
    return isThere ? found : null;
  }
}
