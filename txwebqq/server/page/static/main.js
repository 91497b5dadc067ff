// @ts-check
// The page: it joins the account's data and the views.

import { Client } from "./account/client.js";
import { hasFiles, make, setText, shortened } from "./dom.js";
import { Server } from "./server.js";
import { BackButton } from "./views/backbutton.js";
import { ConversationView } from "./views/conversation.js";
import { showBlocked } from "./views/dialogs/blocked.js";
import { showCategories } from "./views/dialogs/categories.js";
import {
  Dialogs,
  closeForms,
  ownRequestKey,
  reasonOf,
  showQuestion,
} from "./views/dialogs/dialogs.js";
import { ListView, statusWord } from "./views/lists/list.js";
import { makeMenu } from "./views/menu.js";
import { shownText } from "./views/message/preview.js";
import { isAnswer, isDismissal, newsText, requestText } from "./views/news.js";
import { Notices } from "./views/notices.js";
import { SignOnView } from "./views/signon.js";
import { countText, language, word } from "./words.js";

/** @typedef {import("./account/conversations.js").Conversation} Conversation */

const STATUSES = ["online", "callme", "away", "busy", "silent", "hidden"];

/** The time in milliseconds in which another tab with this session answers. */
const OTHER_TAB = 250;

class Page {
  constructor() {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    const server = new Server(
      (url, options) => fetch(url, options),
      new URL(".", location.href).href,
    );
    Object.assign(server.limits, toldLimits());
    this.client = new Client(server, sessionStorage, this);
    const { session } = this.client;
    this.signOn = new SignOnView(session);
    this.list = new ListView(this.client, (kind, id) =>
      this.open(this.client.conversations.get(kind, id)),
    );
    this.dialogs = new Dialogs(
      this.client,
      (text, key) => this.notices.tell(text, key),
      (conversation) => this.open(conversation),
      (number) => this.notices.requests.has(`friend:${number}`),
    );
    const back = () => this.open(null);
    const seen = () => this.seen();
    this.conversation = new ConversationView(this.client, this.dialogs, back, seen);
    this.backButton = new BackButton(back);
    this.state = make("p", { class: "banner", role: "status" });
    this.nick = make("bdi");
    this.number = make("span");
    this.me = make(
      "button",
      { type: "button", class: "me", click: () => this.dialogs.profile() },
      make("span", {}, this.nick),
      this.number,
    );
    this.status = make("select", {
      "aria-label": word("status"),
      change: () => void this.changeStatus(),
    });
    for (const status of STATUSES) {
      this.status.append(make("option", { value: status }, statusWord(status)));
    }
    this.notify = make(
      "button",
      {
        type: "button",
        hidden: true,
        "aria-label": word("notify"),
        title: word("notify"),
        click: () => void this.askToNotify(),
      },
      make("span", { class: "bell" }),
    );
    this.notices = new Notices();
    this.chat = make(
      "div",
      { class: "chat", hidden: true },
      make(
        "header",
        { class: "top" },
        this.me,
        this.status,
        this.makeMenu(),
        this.notify,
        make(
          "button",
          { type: "button", click: () => this.leave() },
          word("signOff"),
        ),
      ),
      this.notices.element,
      make("div", { class: "panes" }, this.list.element, this.conversation.element),
    );
    document.body.replaceChildren(this.state, this.signOn.element, this.chat);
    /** @type {number} */
    this.drawing = 0;
    /** Whether the open conversation has to be drawn, and names in it. */
    this.isChanged = false;
    this.isRenamed = false;
    this.watchTabs();
    addEventListener("online", () => session.wake());
    addEventListener("offline", () => session.interrupt());
    document.addEventListener("visibilitychange", () => this.seen());
    addEventListener("focus", () => this.seen());
    // The browser would leave the page for a file that is dropped elsewhere in it.
    for (const kind of ["dragover", "drop"]) {
      addEventListener(kind, (event) => refuseFiles(/** @type {DragEvent} */ (event)));
    }
    addEventListener("beforeunload", (event) => this.leaving(event));
    addEventListener("pagehide", () => this.left());
    void this.start();
  }

  makeMenu() {
    const { dialogs } = this;
    return makeMenu("more", word("add"), () => [
      [word("addFriend"), () => dialogs.addFriend()],
      [word("joinGroup"), () => dialogs.joinGroup()],
      [word("createGroup"), () => dialogs.createGroup()],
      [word("createDiscussion"), () => dialogs.createDiscussion()],
      [word("categories"), () => showCategories(this.client)],
      [word("blockedPeople"), () => void showBlocked(this.client)],
    ]);
  }

  /** Two tabs with one session would take turns, so a copied tab begins anew. */
  watchTabs() {
    const { session } = this.client;
    const channel = new BroadcastChannel("webqq");
    this.channel = channel;
    const id = String(Math.random());
    channel.addEventListener("message", ({ data }) => {
      if (data.from === id) {
        return;
      }
      if (data.ask !== undefined && data.ask === session.clientid) {
        channel.postMessage({ from: id, taken: data.ask });
      } else if (data.taken !== undefined && data.taken === this.asked) {
        this.isTaken = true;
      }
    });
    this.isTaken = false;
    this.asked = "";
    this.tabId = id;
  }

  /** Sign off, but ask before messages that are not delivered are forgotten. */
  leave() {
    const { session, unsent } = this.client;
    if (unsent.hasMessages) {
      showQuestion(word("signOffForgets"), word("signOff"), () => session.signOff());
    } else {
      void session.signOff();
    }
  }

  async start() {
    const { session } = this.client;
    const kept = session.stored();
    if (kept !== null) {
      this.asked = kept.clientid;
      this.channel?.postMessage({ from: this.tabId, ask: kept.clientid });
      await new Promise((resolve) => setTimeout(resolve, OTHER_TAB));
      this.asked = "";
      if (this.isTaken) {
        session.forget();
        this.stateChanged("signedOff", "");
        this.signOn.number.value = String(kept.number);
        this.signOn.tell(word("otherTab"));
        return;
      }
    }
    if (!(await session.resume())) {
      this.stateChanged("signedOff", "");
    }
  }

  // Called by the client.

  /**
   * @param {import("./session.js").State} state
   * @param {string} detail
   */
  stateChanged(state, detail) {
    if (detail !== "") {
      console.info(state, detail);
    }
    const isOn = state === "online" || state === "reconnecting";
    const isBusy = state === "signingOn";
    this.chat.hidden = !isOn;
    this.signOn.element.hidden = isOn || (isBusy && this.client.session.kept !== null);
    document.body.dataset.state = state;
    const isTold = ["reconnecting", "kicked", "expired"].includes(state);
    setText(this.state, isTold ? word(state) : "");
    if (isOn) {
      this.draw();
      if (state === "online") {
        void this.reopen();
      }
    } else if (!isBusy) {
      this.show(null);
      this.conversation.forget();
      this.list.choose("recent");
      closeForms();
      this.notices.clear();
      const { account } = this.client.lastOpen;
      if (account !== 0 && (isTold || this.signOn.number.value === "")) {
        this.signOn.number.value = String(account);
      }
      this.signOn.focus();
      this.drawTitle();
    }
    this.notify.hidden = !("Notification" in window) ||
      !isSecureContext ||
      Notification.permission !== "default";
  }

  listsChanged() {
    // The name of the open conversation may be another one now.
    this.isRenamed = true;
    this.isChanged = true;
    this.draw();
  }

  presenceChanged() {
    this.draw();
  }

  /** @param {Conversation} conversation */
  conversationChanged(conversation) {
    if (this.conversation.conversation === conversation) {
      this.isChanged = true;
    }
    if (this.isShown(conversation) && this.conversation.isAtEnd) {
      this.client.history.markRead(conversation);
    }
    this.draw();
  }

  /** @param {Conversation} conversation */
  isShown(conversation) {
    const isOpen = this.conversation.conversation === conversation;
    return isOpen && document.visibilityState === "visible" && document.hasFocus();
  }

  /**
   * @param {Conversation} conversation
   * @param {import("./account/conversations.js").Message} message
   */
  messageArrived(conversation, message) {
    const isShown = this.isShown(conversation);
    if (!isShown && "Notification" in window && Notification.permission === "granted") {
      const text = shownText(message.segments);
      const { client } = this;
      const members = client.membersOf(conversation);
      const sender = client.roster.nameOf(message.sender, members);
      const body = conversation.kind === "friend" ? text : `${sender}: ${text}`;
      const options = { body: shortened(body, 200), tag: conversation.key };
      const notification = new Notification(client.nameOf(conversation), options);
      notification.addEventListener("click", () => {
        window.focus();
        this.open(conversation);
      });
    }
    this.conversationChanged(conversation);
  }

  /** @param {Conversation} conversation */
  windowShaken(conversation) {
    const name = this.client.nameOf(conversation);
    this.notices.pass(`shake:${conversation.key}`, (count) =>
      count === 1 ? word("shook", { name }) : word("shookTimes", { name, count }),
    );
    this.chat.classList.remove("shaken");
    requestAnimationFrame(() => this.chat.classList.add("shaken"));
  }

  /** A message must not go to an id of the session before. */
  conversationsReplaced() {
    this.show(null);
    // The server gives those again that are not answered.
    this.notices.forgetRequests();
  }

  /** Open the conversation again that was open in the session before. */
  async reopen() {
    if (this.conversation.conversation === null) {
      const found = await this.client.lastOpen.find().catch(() => null);
      if (found !== null) {
        this.open(found);
      }
    }
  }

  /** @param {import("./account/unsent.js").Entry} entry */
  unsentLost({ name, draft, messages }) {
    const texts = messages.map(({ segments }) => shownText(segments));
    for (const text of draft === null ? texts : [...texts, draft.text]) {
      this.notices.keep(word("unsentLost", { name, text }));
    }
  }

  /** @param {Conversation} conversation */
  conversationClosed(conversation) {
    this.notices.withdraw(`${conversation.key}:`);
    if (this.conversation.conversation === conversation) {
      this.open(null);
    }
    this.draw();
  }

  /** @param {import("./account/news.js").Notice} notice */
  noticed(notice) {
    const { kind, value, conversation, who } = notice;
    const { people, session } = this.client;
    const key = conversation === null ? `friend:${value.account}` : conversation.key;
    if (kind === "verify_required") {
      const decide = (/** @type {boolean} */ isAccepted) =>
        people.answerFriend(value.account, isAccepted);
      this.notices.ask({ key, text: requestText(notice), decide });
      return;
    }
    if (isAnswer(notice, session.number)) {
      this.notices.forget(ownRequestKey(value.account ?? value.gcode));
    }
    const asking = conversation === null ? key : `${key}:${who.uin}`;
    if (kind === "group_request_join" && conversation !== null) {
      const decide = (/** @type {boolean} */ isAccepted) =>
        people.answerJoin(conversation.id, who.uin, isAccepted);
      this.notices.ask({ key: asking, text: requestText(notice), decide });
      return;
    }
    if (kind === "group_request_answered") {
      if (!this.notices.answered(asking)) {
        return;
      }
    } else if (kind === "group_join" || kind.startsWith("verify_pass")) {
      // The operator, or the other account's own request, has answered it.
      this.notices.answered(asking);
    }
    if (conversation !== null && isDismissal(notice, session.number)) {
      this.notices.withdraw(`${conversation.key}:`);
    }
    const text = newsText(notice, session.number);
    if (text !== "") {
      this.notices.tell(text, key);
    }
  }

  // Actions of people.

  /** @param {Conversation | null} conversation */
  open(conversation) {
    this.client.lastOpen.opened(conversation);
    this.show(conversation);
  }

  /** @param {Conversation | null} conversation */
  show(conversation) {
    this.list.current = conversation?.key ?? "";
    this.chat.dataset.open = String(conversation !== null);
    this.conversation.show(conversation);
    this.backButton.changed(conversation !== null);
    this.draw();
  }

  seen() {
    const { conversation, isAtEnd } = this.conversation;
    if (conversation !== null && isAtEnd && document.visibilityState === "visible") {
      this.client.history.markRead(conversation);
      this.draw();
    }
  }

  /**
   * Have the browser ask before the page is left while something is on its way.
   * @param {Event} event
   */
  leaving(event) {
    if (this.client.unsent.isUnderWay) {
      event.preventDefault();
    }
  }

  left() {
    this.conversation.composer.keepDraft();
    this.client.unsent.keep();
  }

  async changeStatus() {
    try {
      await this.client.setStatus(this.status.value);
    } catch (error) {
      this.notices.tell(reasonOf(error));
    }
    this.draw();
  }

  async askToNotify() {
    await Notification.requestPermission();
    this.notify.hidden = true;
  }

  /** Draw the lists and the open conversation, at most once a frame. */
  draw() {
    if (this.drawing === 0) {
      this.drawing = requestAnimationFrame(() => {
        this.drawing = 0;
        this.list.draw();
        if (this.isChanged) {
          this.conversation.draw(this.isRenamed);
          this.isChanged = false;
          this.isRenamed = false;
        }
        const { roster, session } = this.client;
        setText(this.nick, roster.me.nick);
        setText(this.number, ` (${session.number || ""})`);
        this.me.title = `${word("profile")}: ${this.me.textContent}`;
        this.status.value = session.kept?.status ?? "online";
      });
    }
    this.drawTitle();
  }

  drawTitle() {
    const { unread } = this.client.conversations;
    document.title = unread === 0 ? word("title") : `(${countText(unread)}) ${word("title")}`;
  }
}

/** @param {DragEvent} event */
function refuseFiles(event) {
  const { dataTransfer, defaultPrevented } = event;
  if (!defaultPrevented && dataTransfer !== null && hasFiles(event)) {
    event.preventDefault();
    dataTransfer.dropEffect = "none";
  }
}

/** Return the limits that the server has told with the page. */
function toldLimits() {
  /** @type {HTMLMetaElement | null} */
  const told = document.querySelector('meta[name="limits"]');
  return JSON.parse(told?.content ?? "{}");
}

new Page();
