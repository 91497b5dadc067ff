// @ts-check
// The account's data and what one does with it: lists, history, messages, pictures. It
// knows nothing of the document.

import { Session } from "../session.js";
import { Conversations } from "./conversations.js";
import { Events } from "./events.js";
import { Files } from "./files.js";
import { GroupActions } from "./groupactions.js";
import { History } from "./history.js";
import { LastOpen } from "./lastopen.js";
import { Lists } from "./lists.js";
import { News } from "./news.js";
import { People } from "./people.js";
import { Pictures } from "./pictures.js";
import { Roster } from "./roster.js";
import { Sending } from "./sending.js";
import { Unsent, isInDoubt } from "./unsent.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */

/**
 * The news for the view: the state of the session, the lists, or a conversation has
 * changed; a message has arrived; a window was shaken.
 * @typedef {object} View
 * @property {(state: import("../session.js").State, detail: string) => void} stateChanged
 * @property {() => void} listsChanged
 * @property {() => void} presenceChanged
 * @property {(conversation: Conversation) => void} conversationChanged
 * @property {(conversation: Conversation, message: Message) => void} messageArrived
 * @property {(conversation: Conversation) => void} windowShaken
 * @property {(notice: import("./news.js").Notice) => void} noticed
 * @property {() => void} conversationsReplaced a new session has other ids; drafts have
 *   to be in the conversations of before
 * @property {(entry: import("./unsent.js").Entry) => void} unsentLost what was not sent
 *   before, and whose conversation is not found
 * @property {(conversation: Conversation) => void} conversationClosed the account has
 *   left it
 */

/** One account in this tab. */
export class Client {
  /**
   * @param {import("../server.js").Server} server
   * @param {Storage} storage of the tab
   * @param {View} view
   */
  constructor(server, storage, view) {
    this.server = server;
    this.view = view;
    this.session = new Session(server, storage, this);
    this.roster = new Roster();
    this.conversations = new Conversations();
    this.people = new People(this);
    this.files = new Files(this);
    this.groupActions = new GroupActions(this);
    this.lists = new Lists(this);
    this.history = new History(this);
    this.news = new News(this);
    this.events = new Events(this);
    this.sending = new Sending(this);
    this.pictures = new Pictures(this);
    this.unsent = new Unsent(this, storage);
    this.lastOpen = new LastOpen(this, storage);
    /** @type {import("../session.js").State} */
    this.state = "signedOff";
  }

  // Called by the session.

  /**
   * @param {import("../session.js").State} state
   * @param {string} detail
   */
  stateChanged(state, detail) {
    if (state === "signedOff" || state === "expired" || state === "kicked") {
      if (state !== "signedOff") {
        this.view.conversationsReplaced();
        this.unsent.keep();
        this.unsent.keepUploads();
      }
      // The next account to sign on in this tab sees nothing of this one.
      this.pictures.fetched.clear();
      this.conversations.clear();
      this.roster = new Roster();
      // A sign-on that fails is no sign-off.
      const wasOn = this.state === "online" || this.state === "reconnecting";
      const isLeft = wasOn && state === "signedOff";
      this.unsent.forget(isLeft);
      if (isLeft) {
        this.lastOpen.forget();
      }
    } else if (state === "online") {
      this.lastOpen.signedOn(this.session.number);
    }
    this.state = state;
    this.view.stateChanged(state, detail);
  }

  /** @param {boolean} isNew */
  async joined(isNew) {
    if (isNew) {
      await this.lists.fetchAll();
    } else {
      // What polls bring from now on comes after what was missed.
      const loaded = [...this.conversations.all.values()]
        .filter(({ isLoaded }) => isLoaded)
        // The newest page tells whether a message in doubt has arrived.
        .map((each) => ({ each, isInDoubt: each.messages.some(isInDoubt) }))
        .map(({ each, isInDoubt }) => ({
          conversation: each,
          after: isInDoubt ? 0 : each.newestStored,
        }));
      await Promise.all([this.lists.fetchOnline(), this.lists.fetchRecent()]);
      const missed = loaded.map(({ conversation, after }) =>
        this.history.loadMissed(conversation, after).catch(() => {}),
      );
      void Promise.all(missed)
        .then(() => this.unsent.sendAgain())
        .catch(() => {});
      this.view.listsChanged();
    }
  }

  /** @param {{poll_type: string, value: any}[]} events the oldest first */
  eventsReceived(events) {
    this.events.received(events);
  }

  /** @param {Conversation} conversation */
  membersOf({ kind, id }) {
    if (kind === "group") {
      return this.roster.groups.get(id)?.members ?? null;
    }
    if (kind === "discussion") {
      return this.roster.discussions.get(id)?.members ?? null;
    }
    return null;
  }

  /**
   * Return the name of a conversation in requests.
   * @param {Conversation} conversation
   */
  addressOf({ kind, id }) {
    switch (kind) {
      case "friend":
        return { type: 0, uin: id };
      case "group":
        return { type: 1, uin: this.roster.groups.get(id)?.code ?? 0 };
      default:
        return { type: 2, uin: id };
    }
  }

  /**
   * Return the name of a conversation.
   * @param {Conversation} conversation
   */
  nameOf({ kind, id }) {
    switch (kind) {
      case "friend":
        return this.roster.nameOf(id);
      case "group":
        return this.roster.groups.get(id)?.name ?? "?";
      default:
        return this.roster.discussions.get(id)?.name ?? "?";
    }
  }

  /**
   * Return the name of an account in a conversation.
   * @param {Conversation} conversation
   * @param {number} uin
   */
  nameIn(conversation, uin) {
    return uin === this.session.number
      ? this.roster.me.nick
      : this.roster.nameOf(uin, this.membersOf(conversation));
  }

  /** @param {Conversation} conversation */
  async tellTyping({ kind, id }) {
    // An account that is invisible does not tell that it is there.
    if (kind === "friend" && this.session.kept?.status !== "hidden") {
      const { clientid, psessionid } = this.session;
      const fields = { to_uin: id, clientid, psessionid };
      await this.server.ask("channel/input_notify2", fields).catch(() => {});
    }
  }

  /** @param {Conversation} conversation */
  async shake({ id }) {
    const { clientid, psessionid } = this.session;
    await this.server.ask("channel/shake2", { to_uin: id, clientid, psessionid });
  }

  /** @param {string} status */
  async setStatus(status) {
    const { clientid, psessionid } = this.session;
    const fields = { newstatus: status, clientid, psessionid };
    await this.server.ask("channel/change_status2", fields);
    if (this.session.kept !== null) {
      this.session.kept.status = status;
      this.session.keep();
    }
  }
}
