// @ts-check
// Dialogs of a group: its announcement, members, mutes and files; invitations into a
// discussion.

import { make, setText } from "../../dom.js";
import { sizeText, word } from "../../words.js";
import { FriendPicker } from "../lists/friendpicker.js";
import { MembersView } from "../lists/members.js";
import { withLinks } from "../message/links.js";
import { reasonOf, showForm, showQuestion } from "./dialogs.js";
import { showModal } from "./modal.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */
/** @typedef {import("./dialogs.js").Field} Field */

const MINUTE = 60;

/** @type {[string, number][]} the words for lengths of mutes, and their seconds */
const MUTES = [
  ["mute10", 10 * MINUTE],
  ["mute60", 60 * MINUTE],
  ["muteDay", 24 * 60 * MINUTE],
  ["muteMonth", 30 * 24 * 60 * MINUTE],
];

/** The dialogs of groups and discussions. */
export class GroupDialogs {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {import("../transfers.js").Transfers} transfers downloads files
   */
  constructor(client, transfers) {
    this.client = client;
    this.transfers = transfers;
  }

  /**
   * Return the entries of the menu of a conversation: words, and what they do.
   * @param {Conversation} conversation
   * @returns {[string, () => void][]}
   */
  entries(conversation) {
    /** @type {[string, () => void]} */
    const members = ["members", () => this.list(conversation)];
    if (conversation.kind === "discussion") {
      return [members, ["invite", () => this.invite(conversation)]];
    }
    const role = this.client.groupActions.roleIn(conversation);
    /** @type {[string, () => void][]} */
    const entries = [
      members,
      ["announcement", () => this.announcement(conversation)],
      ["myCard", () => this.card(conversation, this.client.session.number)],
      ["groupFiles", () => void this.files(conversation)],
    ];
    if (role !== "member") {
      const { mutes } = this.client.roster.groups.get(conversation.id) ?? {};
      const isMuted = mutes?.has(0) ?? false;
      entries.push(
        ["manageMembers", () => this.members(conversation)],
        [isMuted ? "unmuteAll" : "muteAll", () => this.muteAll(conversation, !isMuted)],
      );
    }
    return entries;
  }

  /**
   * Show the members, for whom a narrow screen has no place beside the messages.
   * @param {Conversation} conversation
   */
  list(conversation) {
    const members = new MembersView(this.client);
    members.draw(conversation, true);
    showContent(word("members"), members.element);
  }

  /** @param {Conversation} conversation */
  announcement(conversation) {
    const memo = this.client.roster.groups.get(conversation.id)?.memo ?? "";
    if (this.client.groupActions.roleIn(conversation) === "member") {
      const content = withLinks(memo || word("noAnnouncement"));
      const text = make("p", { class: "announcement", dir: "auto" }, content);
      showContent(word("announcement"), text);
      return;
    }
    /** @type {Field} */
    const field = {
      name: "memo",
      label: word("announcement"),
      kind: "textarea",
      value: memo,
    };
    showForm(word("announcement"), [field], word("save"), async (values) => {
      const text = String(values.get("memo") ?? "").replaceAll("\r\n", "\n");
      await this.client.groupActions.setAnnouncement(conversation, text);
    });
  }

  /** @param {Conversation} conversation @param {number} uin */
  card(conversation, uin) {
    const members = this.client.membersOf(conversation);
    const value = members?.get(uin)?.card ?? "";
    const label = this.client.roster.nameOf(uin, members);
    const title = uin === this.client.session.number ? word("myCard") : label;
    const field = { name: "card", label: word("card"), value };
    showForm(title, [field], word("save"), async (values) => {
      const card = String(values.get("card") ?? "").trim();
      await this.client.groupActions.setCard(conversation, uin, card);
    });
  }

  /**
   * Choose a member, and what to do.
   * @param {Conversation} conversation
   */
  members(conversation) {
    const { roster, session, groupActions } = this.client;
    const members = this.client.membersOf(conversation);
    const isOwner = groupActions.roleIn(conversation) === "owner";
    /** @type {[string, string][]} */
    const people = [...(members?.values() ?? [])]
      .filter(({ uin, role }) => uin !== session.number && (isOwner || role === "member"))
      .map(({ uin }) => [String(uin), roster.nameOf(uin, members)]);
    const forOwner = isOwner ? ["makeAdmin", "revokeAdmin", "transfer"] : [];
    const actions = ["changeCard", ...MUTES.map(([key]) => key), "unmute", ...forOwner];
    /** @type {Field[]} */
    const fields = [
      { name: "uin", label: word("member"), kind: "select", options: people },
      {
        name: "action",
        label: word("action"),
        kind: "select",
        options: actions.map((key) => [key, word(key)]),
      },
    ];
    showForm(word("manageMembers"), fields, word("continue"), async (values) => {
      const uin = Number(values.get("uin"));
      if (uin !== 0) {
        await this.actOn(conversation, uin, String(values.get("action")));
      }
    });
  }

  /**
   * @param {Conversation} conversation
   * @param {number} uin
   * @param {string} action
   */
  async actOn(conversation, uin, action) {
    const { groupActions } = this.client;
    switch (action) {
      case "changeCard":
        this.card(conversation, uin);
        break;
      case "makeAdmin":
      case "revokeAdmin":
        await groupActions.setAdmin(conversation, uin, action === "makeAdmin");
        break;
      case "transfer": {
        const members = this.client.membersOf(conversation);
        const name = this.client.roster.nameOf(uin, members);
        showQuestion(word("transferTo", { name }), word("transfer"), () =>
          groupActions.transfer(conversation, uin),
        );
        break;
      }
      default: {
        const seconds = new Map(MUTES).get(action) ?? 0;
        await groupActions.mute(conversation, uin, seconds);
      }
    }
  }

  /** @param {Conversation} conversation @param {boolean} isMuted */
  muteAll(conversation, isMuted) {
    const key = isMuted ? "muteAll" : "unmuteAll";
    showForm(word(`${key}Question`), [], word(key), () =>
      this.client.groupActions.mute(conversation, 0, isMuted ? 1 : 0),
    );
  }

  /** @param {Conversation} conversation */
  invite(conversation) {
    const members = this.client.membersOf(conversation);
    const picker = new FriendPicker(this.client.roster, (uin) => !members?.has(uin));
    const fields = [picker.element];
    showForm(word("invite"), fields, word("invite"), async () => {
      const uins = [...picker.chosen];
      await this.client.groupActions.invite(conversation, uins);
      await this.client.lists.fetchMembers(conversation);
    });
  }

  /** @param {Conversation} conversation */
  async files(conversation) {
    const list = make("ul", { class: "files" });
    const note = make("p", { role: "status" }, word("loading"));
    showContent(word("groupFiles"), note, list);
    try {
      const files = await this.client.groupActions.files(conversation);
      setText(note, files.length === 0 ? word("noFiles") : "");
      list.append(
        ...files.map((file) => this.fileEntry(conversation, file, note)),
      );
    } catch (error) {
      setText(note, reasonOf(error));
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {import("../../account/groupactions.js").GroupFile} file
   * @param {HTMLElement} note
   */
  fileEntry(conversation, file, note) {
    const { roster, session, groupActions } = this.client;
    const { name, size, key } = file;
    const members = this.client.membersOf(conversation);
    const sender =
      file.sender === session.number ? roster.me.nick : roster.nameOf(file.sender, members);
    const about = word("fileSize", { name, size: sizeText(size) });
    const entry = make("li", {}, make("span", { dir: "auto" }, `${about} – ${sender}`));
    const download = make(
      "button",
      {
        type: "button",
        "aria-label": `${word("download")}: ${name}`,
        click: () =>
          void this.transfers.download(conversation, { type: "file", name, size, key }),
      },
      word("download"),
    );
    entry.append(" ", download);
    const isAdmin = groupActions.roleIn(conversation) !== "member";
    if (isAdmin || file.sender === session.number) {
      const remove = make(
        "button",
        {
          type: "button",
          "aria-label": `${word("remove")}: ${name}`,
          click: async () => {
            try {
              await groupActions.deleteFile(conversation, key);
              entry.remove();
              setText(note, word("fileDeleted", { name }));
            } catch (error) {
              setText(note, reasonOf(error));
            }
          },
        },
        word("remove"),
      );
      entry.append(" ", remove);
    }
    return entry;
  }
}

/**
 * Show a dialog that has nothing to fill in.
 * @param {string} title
 * @param {...Element} content
 */
export function showContent(title, ...content) {
  const dialog = make(
    "dialog",
    { "aria-labelledby": "content-title" },
    make("h2", { id: "content-title" }, title),
    ...content,
    make(
      "div",
      { class: "actions" },
      make("button", { type: "button", click: () => dialog.close() }, word("close")),
    ),
  );
  showModal(dialog);
}
