// @ts-check
// The open conversation: its messages, its members, and the field to write in.

import { keyed, make, setText } from "./dom.js";
import { NAMED, faceName } from "./faces.js";
import { Refused } from "./session.js";
import { reasonOf } from "./view-dialogs.js";
import { hasWord, language, word } from "./words.js";

/** @typedef {import("./conversations.js").Conversation} Conversation */
/** @typedef {import("./conversations.js").Message} Message */
/** @typedef {import("./wire.js").Segment} Segment */

const TYPING_INTERVAL = 5000;

/** The distance from the end, in pixels, within which new messages are scrolled to. */
const NEAR = 80;

const FACE_NAMES = new Map(
  NAMED.flatMap(([id, zh, en]) => [
    [zh, id],
    [en.toLowerCase(), id],
  ]),
);

/**
 * Return the segments of a text as it was typed; `[微笑]` and `[Smile]` are emoticons.
 * @param {string} text
 * @returns {Segment[]}
 */
export function typedSegments(text) {
  /** @type {Segment[]} */
  const segments = [];
  let end = 0;
  for (const found of text.matchAll(/\[([^[\]]{1,16})\]/g)) {
    const id = FACE_NAMES.get(found[1]) ?? FACE_NAMES.get(found[1].toLowerCase());
    if (id !== undefined) {
      if (found.index > end) {
        segments.push({ type: "text", text: text.slice(end, found.index) });
      }
      segments.push({ type: "face", id: Number(id) });
      end = found.index + found[0].length;
    }
  }
  if (end < text.length) {
    segments.push({ type: "text", text: text.slice(end) });
  }
  return segments;
}

const clockTime = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
});
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
});

/** @param {number} seconds */
function timeText(seconds) {
  const time = new Date(seconds * 1000);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday ? clockTime.format(time) : dayAndTime.format(time);
}

/** The open conversation. */
export class ConversationView {
  /**
   * @param {import("./client.js").Client} client
   * @param {import("./view-dialogs.js").Dialogs} dialogs
   * @param {() => void} close
   */
  constructor(client, dialogs, close) {
    this.client = client;
    this.dialogs = dialogs;
    /** @type {Conversation | null} */
    this.conversation = null;
    /** @type {Map<string, string>} what was typed and not sent, by conversation */
    this.drafts = new Map();
    this.lastTyping = 0;
    /** @type {Map<number, unknown> | null} the members that are shown */
    this.drawnMembers = null;
    this.keys = new WeakMap();
    this.nextKey = 1;
    /** Whether the end is in sight, and stays there when something is added. */
    this.isAtEnd = true;
    this.name = make("h1", { dir: "auto" });
    this.note = make("p", { class: "note", "aria-live": "polite" });
    this.older = make(
      "button",
      { type: "button", class: "older", click: () => void this.loadOlder() },
      word("older"),
    );
    this.log = make("div", { role: "log", class: "log" });
    this.log.setAttribute("aria-label", word("message"));
    this.scroll = make(
      "div",
      { class: "scroll", tabindex: "0", scroll: () => this.scrolled() },
      this.older,
      this.log,
    );
    this.members = make("ul", { class: "members", "aria-label": word("members") });
    this.text = make("textarea", {
      rows: "2",
      "aria-label": word("message"),
      placeholder: word("message"),
      keydown: (event) => this.keyPressed(event),
      input: () => this.typed(),
      paste: (event) => this.pasted(event),
    });
    this.file = make("input", {
      type: "file",
      accept: "image/png,image/jpeg,image/gif,image/bmp",
      hidden: true,
      change: () => this.fileChosen(),
    });
    this.anyFile = make("input", {
      type: "file",
      hidden: true,
      change: () => this.anyFileChosen(),
    });
    this.fileButton = make(
      "button",
      { type: "button", click: () => this.anyFile.click() },
      word("addFile"),
    );
    this.menu = make("div", { class: "menu" });
    this.more = make("details", { class: "more" }, make("summary", {}, word("more")));
    this.more.append(this.menu);
    this.faces = make("div", { class: "faces", role: "group", hidden: true });
    this.faces.setAttribute("aria-label", word("addFace"));
    this.shakeButton = make(
      "button",
      { type: "button", click: () => void this.shake() },
      word("shake"),
    );
    this.faceButton = make(
      "button",
      { type: "button", "aria-expanded": "false", click: () => this.toggleFaces() },
      word("addFace"),
    );
    this.form = make(
      "form",
      { class: "write", submit: (event) => this.submitted(event) },
      this.faces,
      make(
        "div",
        { class: "tools" },
        this.faceButton,
        make(
          "button",
          { type: "button", click: () => this.file.click() },
          word("addPicture"),
        ),
        this.fileButton,
        this.shakeButton,
        this.file,
        this.anyFile,
      ),
      make("div", { class: "line" }, this.text, make("button", {}, word("send"))),
    );
    this.body = make(
      "div",
      { class: "talk", hidden: true },
      make(
        "header",
        {},
        make(
          "button",
          { type: "button", class: "back", click: () => close() },
          word("back"),
        ),
        this.name,
        this.note,
        this.more,
      ),
      make("div", { class: "middle" }, this.scroll, this.members),
      this.form,
    );
    this.empty = make("p", { class: "empty" }, word("choose"));
    this.element = make(
      "main",
      {
        class: "conversation",
        dragover: (event) => event.preventDefault(),
        drop: (event) => this.dropped(event),
      },
      this.empty,
      this.body,
    );
  }

  /** @param {Conversation | null} conversation */
  show(conversation) {
    if (this.conversation !== null) {
      this.drafts.set(this.conversation.key, this.text.value);
    }
    this.conversation = conversation;
    this.body.hidden = conversation === null;
    this.empty.hidden = conversation !== null;
    this.log.replaceChildren();
    setText(this.note, "");
    if (conversation === null) {
      return;
    }
    this.text.value = this.drafts.get(conversation.key) ?? "";
    this.shakeButton.hidden = conversation.kind !== "friend";
    this.fileButton.hidden = conversation.kind === "discussion";
    this.more.open = false;
    this.fillMenu(conversation);
    this.draw();
    this.toEnd();
    this.text.focus();
    setText(this.note, conversation.isLoaded ? "" : word("loading"));
    this.client
      .open(conversation)
      .then(() => {
        if (this.conversation === conversation) {
          setText(this.note, "");
          this.draw();
          this.toEnd();
        }
      })
      .catch(() => {
        if (this.conversation === conversation) {
          setText(this.note, word("historyFailed"));
        }
      });
  }

  /** The text that is typed and not sent in the open conversation, or "". */
  get typedText() {
    return this.conversation === null ? "" : this.text.value.trim();
  }

  /** Forget what an account that has signed off has typed and seen. */
  forget() {
    this.drafts.clear();
    this.text.value = "";
    setText(this.name, "");
    this.members.replaceChildren();
    this.drawnMembers = null;
  }

  /** @param {Conversation} conversation */
  fillMenu(conversation) {
    const { dialogs } = this;
    /** @type {[string, () => void][]} */
    const friend = [
      ["editFriend", () => dialogs.friend(conversation.id)],
      ["block", () => dialogs.block(conversation.id, true)],
      ["unblock", () => dialogs.block(conversation.id, false)],
      ["removeFriendShort", () => dialogs.removeFriend(conversation.id)],
    ];
    /** @type {[string, () => void][]} */
    const discussion = [
      ["rename", () => dialogs.rename(conversation)],
      ["leave", () => dialogs.leave(conversation)],
    ];
    /** @type {[string, () => void][]} */
    const group = [
      ["rename", () => dialogs.rename(conversation)],
      ["removeMember", () => dialogs.removeMember(conversation)],
      ["leaveOrDissolve", () => dialogs.leave(conversation)],
    ];
    this.menu.replaceChildren(
      ...{ friend, discussion, group }[conversation.kind].map(([key, act]) =>
        make(
          "button",
          {
            type: "button",
            click: () => {
              this.more.open = false;
              act();
            },
          },
          word(key),
        ),
      ),
    );
  }

  toEnd() {
    this.isAtEnd = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  /** @param {boolean} [isNamed] whether names may have changed */
  draw(isNamed = false) {
    const { conversation } = this;
    if (conversation === null) {
      return;
    }
    setText(this.name, this.client.nameOf(conversation));
    this.older.hidden = !conversation.hasOlder || conversation.cursor < 0;
    keyed(
      this.log,
      conversation.messages,
      (message) => this.keyOf(message),
      (message) => this.makeMessage(conversation, message),
      (element, message) => this.drawMessage(element, conversation, message),
    );
    this.drawMembers(conversation, isNamed);
    this.drawTyping(conversation);
    if (this.isAtEnd) {
      this.toEnd();
    }
  }

  /** @param {Conversation} conversation */
  drawTyping(conversation) {
    const name = this.client.nameOf(conversation);
    if (conversation.typingUntil > Date.now()) {
      setText(this.note, word("typing", { name }));
      const { typingUntil } = conversation;
      setTimeout(() => {
        if (this.conversation === conversation && typingUntil <= Date.now()) {
          setText(this.note, "");
        }
      }, typingUntil - Date.now() + 50);
    } else if (this.note.textContent === word("typing", { name })) {
      setText(this.note, "");
    }
  }

  /** @param {Message} message */
  keyOf(message) {
    let key = this.keys.get(message);
    if (key === undefined) {
      key = String(this.nextKey);
      this.nextKey += 1;
      this.keys.set(message, key);
    }
    return key;
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   */
  makeMessage(conversation, message) {
    const element = make(
      "article",
      { class: message.isMine ? "message mine" : "message" },
      make(
        "p",
        { class: "about" },
        make("span", { class: "sender", dir: "auto" }),
        " ",
        make("time", {
          datetime: new Date(message.time * 1000).toISOString(),
        }),
      ),
      make("div", { class: "content", dir: "auto" }),
      make("p", { class: "state" }),
    );
    this.drawContent(element, conversation, message);
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Conversation} conversation
   * @param {Message} message
   */
  drawContent(element, conversation, message) {
    const content = /** @type {HTMLElement} */ (element.querySelector(".content"));
    const { name, size, color, style } = message.font;
    // No colour is so near to the background that one cannot read it.
    if (!message.isMine) {
      content.style.fontFamily = `"${name.replaceAll(/["\\\n]/g, "")}", inherit`;
      content.style.fontSize = `${Math.min(Math.max(size / 10, 0.8), 2)}em`;
      if (color !== "000000") {
        content.style.color = `color-mix(in srgb, #${color} 40%, var(--text))`;
      }
      content.style.fontWeight = style[0] === 1 ? "bold" : "";
      content.style.fontStyle = style[1] === 1 ? "italic" : "";
      content.style.textDecoration = style[2] === 1 ? "underline" : "";
    }
    content.replaceChildren(
      ...message.segments.map((segment) =>
        this.makeSegment(conversation, message, segment),
      ),
    );
    element.dataset.recalled = String(message.isRecalled === true);
    if (message.isRecalled) {
      content.replaceChildren(make("em", {}, word("recalled")));
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Segment} segment
   * @returns {Node}
   */
  makeSegment(conversation, message, segment) {
    switch (segment.type) {
      case "text":
        return document.createTextNode(segment.text);
      case "face": {
        const name = faceName(segment.id, language);
        return make("span", { class: "face" }, `[${name}]`);
      }
      case "mention":
        return make("strong", {}, `@${segment.name}`);
      case "reply": {
        const quoted = conversation.messages.find(({ id }) => id === segment.id);
        const text = quoted === undefined ? "…" : textOf(quoted);
        return make("q", { class: "quoted" }, text.slice(0, 80));
      }
      case "groupPicture":
      case "friendPicture":
      case "photo":
        return this.makePicture(conversation, message, segment);
      case "file":
        return this.makeFile(conversation, segment);
      default:
        return document.createTextNode("");
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {import("./files.js").FileSegment} file
   */
  makeFile(conversation, file) {
    const { name, size, key } = file;
    const about = make("span", {}, word("fileSize", { name, size: sizeText(size) }));
    if (key === "") {
      return about;
    }
    const click = () => void this.download(conversation, file);
    const button = make("button", { type: "button", click }, word("download"));
    return make("span", {}, about, " ", button);
  }

  /**
   * @param {Conversation} conversation
   * @param {import("./files.js").FileSegment} file
   */
  async download(conversation, file) {
    const { name } = file;
    try {
      const blob = await this.client.files.fetch(conversation, file, (part) =>
        this.tell(conversation, word("fetchingFile", { name, percent: percent(part) })),
      );
      const url = URL.createObjectURL(blob);
      make("a", { href: url, download: name }).click();
      // The browser has begun to save it by then.
      setTimeout(() => URL.revokeObjectURL(url), 60000);
      this.tell(conversation, "");
    } catch (error) {
      const reason = reasonOf(error);
      this.tell(conversation, word("fileFailed", { name, reason }));
    }
  }

  /**
   * Show a note in a conversation, if it is still open.
   * @param {Conversation} conversation
   * @param {string} text
   */
  tell(conversation, text) {
    if (this.conversation === conversation) {
      setText(this.note, text);
    }
  }

  anyFileChosen() {
    const files = [...(this.anyFile.files ?? [])];
    this.anyFile.value = "";
    void this.sendFiles(files);
  }

  /** @param {File[]} files */
  async sendFiles(files) {
    const { conversation } = this;
    if (conversation === null) {
      return;
    }
    for (const file of files) {
      const { name } = file;
      try {
        await this.client.sendFile(conversation, file, (part) =>
          this.tell(conversation, word("sendingFile", { name, percent: percent(part) })),
        );
        this.tell(conversation, "");
      } catch (error) {
        const reason = reasonOf(error);
        this.tell(conversation, word("fileFailed", { name, reason }));
      }
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @param {Segment} segment
   */
  makePicture(conversation, message, segment) {
    const image = make("img", { alt: word("picture"), class: "picture" });
    this.client
      .picture(conversation, message, segment)
      .then((blob) => {
        const url = URL.createObjectURL(blob);
        image.addEventListener("load", () => {
          URL.revokeObjectURL(url);
          if (this.conversation === conversation && this.isAtEnd) {
            this.toEnd();
          }
        });
        image.src = url;
      })
      .catch(() => {
        image.replaceWith(make("em", {}, word("pictureFailed")));
      });
    return image;
  }

  /**
   * @param {HTMLElement} element
   * @param {Conversation} conversation
   * @param {Message} message
   */
  drawMessage(element, conversation, message) {
    const members = this.client.membersOf(conversation);
    const { roster } = this.client;
    const sender = /** @type {HTMLElement} */ (element.querySelector(".sender"));
    setText(
      sender,
      message.isMine ? roster.me.nick : roster.nameOf(message.sender, members),
    );
    const time = /** @type {HTMLElement} */ (element.querySelector("time"));
    setText(time, timeText(message.time));
    if (String(message.isRecalled === true) !== element.dataset.recalled) {
      this.drawContent(element, conversation, message);
    }
    if (element.dataset.state !== message.state) {
      element.dataset.state = message.state;
      const state = /** @type {HTMLElement} */ (element.querySelector(".state"));
      state.replaceChildren();
      if (message.state !== "sent") {
        state.append(word(message.state));
        const reason = `code${message.problem}`;
        if (message.problem && hasWord(reason)) {
          state.append(`: ${word(reason)}`);
        }
      }
      if (message.state === "failed" || message.state === "unknown") {
        state.append(
          " ",
          make(
            "button",
            {
              type: "button",
              click: () => void this.client.retry(conversation, message),
            },
            word("retry"),
          ),
        );
      }
    }
  }

  /** @param {Conversation} conversation @param {boolean} isNamed */
  drawMembers(conversation, isNamed) {
    const members = this.client.membersOf(conversation);
    this.members.hidden = members === null;
    if (members === this.drawnMembers && !isNamed) {
      return;
    }
    this.drawnMembers = members;
    const sorted = [...(members?.values() ?? [])].sort(
      (a, b) => Number(b.isOnline) - Number(a.isOnline),
    );
    keyed(
      this.members,
      sorted,
      ({ uin }) => String(uin),
      () => make("li", { dir: "auto" }),
      (element, member) => {
        const name = this.client.roster.nameOf(member.uin, members);
        const role = member.role === "member" ? "" : ` (${word(member.role)})`;
        setText(element, name + role);
        element.dataset.online = String(member.isOnline);
      },
    );
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.scroll.scrollTop < NEAR && !this.older.hidden) {
      void this.loadOlder();
    }
  }

  async loadOlder() {
    const { conversation } = this;
    if (conversation === null || this.older.disabled) {
      return;
    }
    this.older.disabled = true;
    const { scrollHeight, scrollTop } = this.scroll;
    try {
      await this.client.loadOlder(conversation);
      if (this.conversation === conversation) {
        this.scroll.scrollTop = scrollTop + this.scroll.scrollHeight - scrollHeight;
      }
    } catch {
      setText(this.note, word("historyFailed"));
    } finally {
      this.older.disabled = false;
    }
  }

  /** @param {Event} event */
  submitted(event) {
    event.preventDefault();
    this.sendTyped();
  }

  /** @param {KeyboardEvent} event */
  keyPressed(event) {
    // The Enter that ends the input of a Chinese word sends nothing.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.sendTyped();
    }
  }

  sendTyped() {
    const { conversation } = this;
    const text = this.text.value;
    if (conversation === null || text.trim() === "") {
      return;
    }
    this.text.value = "";
    void this.client.send(conversation, typedSegments(text));
    this.toEnd();
    this.text.focus();
  }

  typed() {
    const now = Date.now();
    if (this.conversation !== null && now - this.lastTyping > TYPING_INTERVAL) {
      this.lastTyping = now;
      void this.client.tellTyping(this.conversation);
    }
  }

  async shake() {
    const { conversation } = this;
    if (conversation !== null) {
      try {
        await this.client.shake(conversation);
        setText(this.note, word("shaken"));
      } catch {
        setText(this.note, word("unreachable"));
      }
    }
  }

  toggleFaces() {
    const isShown = this.faces.hidden;
    if (isShown && this.faces.childElementCount === 0) {
      for (const [id] of NAMED) {
        const name = faceName(id, language);
        const add = () => this.insert(`[${name}]`);
        this.faces.append(make("button", { type: "button", click: add }, name));
      }
    }
    this.faces.hidden = !isShown;
    this.faceButton.setAttribute("aria-expanded", String(isShown));
  }

  /** @param {string} text */
  insert(text) {
    this.text.setRangeText(
      text,
      this.text.selectionStart,
      this.text.selectionEnd,
      "end",
    );
    this.text.focus();
  }

  fileChosen() {
    const files = [...(this.file.files ?? [])];
    this.file.value = "";
    void this.sendPictures(files);
  }

  /** @param {ClipboardEvent} event */
  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) {
      event.preventDefault();
      void this.sendPictures(files);
    }
  }

  /** @param {DragEvent} event */
  dropped(event) {
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    const isPicture = (/** @type {File} */ file) => file.type.startsWith("image/");
    void this.sendPictures(files.filter(isPicture));
    if (this.conversation?.kind !== "discussion") {
      void this.sendFiles(files.filter((file) => !isPicture(file)));
    }
  }

  /** @param {File[]} files */
  async sendPictures(files) {
    const { conversation } = this;
    if (conversation === null) {
      return;
    }
    for (const file of files) {
      try {
        if (!file.type.startsWith("image/")) {
          throw new Refused(1, word("notPicture"));
        }
        this.tell(conversation, word("sending"));
        const segment = await this.client.uploadPicture(conversation, file);
        void this.client.send(conversation, [segment]);
        this.tell(conversation, "");
        if (this.conversation === conversation) {
          this.toEnd();
        }
      } catch (error) {
        const reason =
          error instanceof Refused
            ? error.code === 1
              ? word("notPicture")
              : error.text
            : word("unreachable");
        this.tell(conversation, word("uploadFailed", { reason }));
      }
    }
  }
}

/** @param {number} part */
function percent(part) {
  return Math.floor(part * 100);
}

/** @param {number} bytes */
function sizeText(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** @param {Message} message */
function textOf(message) {
  return message.segments
    .map((segment) => (segment.type === "text" ? segment.text : ""))
    .join("");
}
