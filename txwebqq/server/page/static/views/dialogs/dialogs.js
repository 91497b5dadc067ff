// @ts-check
// Dialogs: forms about people, groups and the own profile.

import { CaptchaWanted } from "../../account/people.js";
import { PictureRefused } from "../../account/pictures.js";
import { isolated, make, setText } from "../../dom.js";
import { MAX_PIXELS, isShowable } from "../../pictures/formats.js";
import { Unsuitable } from "../../pictures/shrink.js";
import { Refused } from "../../session.js";
import { hasWord, sizeText, word } from "../../words.js";
import { CaptchaField } from "../captcha.js";
import { FriendPicker } from "../lists/friendpicker.js";
import { showModal } from "./modal.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */
/** @typedef {import("../../account/people.js").Captcha} Captcha */

/** The greatest length of the name of a group or discussion, in characters. */
const MAX_NAME = 128;

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {"text" | "textarea" | "checkbox" | "file" | "select"} [kind]
 * @property {string} [value]
 * @property {boolean} [isRequired]
 * @property {[string, string][]} [options] values and labels of a select
 * @property {number} [most] the greatest length, in characters
 */

/**
 * Return the limits that the words for failures name.
 * @param {number} size in bytes
 */
export function limitsText(size) {
  return { size: sizeText(size), megapixels: Math.floor(MAX_PIXELS / 1e6) };
}

/** @param {unknown} error */
export function reasonOf(error) {
  if (error instanceof Refused) {
    const code = error instanceof PictureRefused ? `picture${error.code}` : error.code;
    const key = hasWord(error.text) ? error.text : `code${code}`;
    return hasWord(key) ? word(key) : error.text || String(error.code);
  }
  if (error instanceof Unsuitable) {
    return word(`code${error.problem}`, limitsText(error.limit));
  }
  return word("unreachable");
}

/**
 * Show a form, until it succeeds or is closed.
 * @param {string} title
 * @param {(Field | HTMLElement)[]} fields
 * @param {string} action the text of the button
 * @param {(values: FormData, captcha?: Captcha) => Promise<void>} act fails with the
 *   reason to show, or with a captcha, which is shown and given to the next call
 * @param {() => Promise<CaptchaWanted>} [fetchCaptcha] for forms that may need one
 */
export function showForm(title, fields, action, act, fetchCaptcha) {
  const problem = make("p", { class: "problem", role: "alert" });
  const button = make("button", {}, action);
  let session = "";
  const captcha = new CaptchaField(() => void fetchCaptcha?.().then(want, fail));
  const want = (/** @type {CaptchaWanted} */ wanted) => {
    session = wanted.session;
    captcha.show(wanted.picture);
    setText(problem, wanted.isWrong ? word("login4") : "");
  };
  const fail = (/** @type {unknown} */ error) => {
    // A captcha is used up by one try.
    session = "";
    captcha.hide();
    setText(problem, reasonOf(error));
  };
  const form = make(
    "form",
    {
      submit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        button.disabled = true;
        setText(problem, "");
        try {
          const read = session === "" ? undefined : { session, text: captcha.text };
          await act(new FormData(form), read);
          dialog.close();
        } catch (error) {
          if (error instanceof CaptchaWanted) {
            want(error);
          } else {
            fail(error);
          }
        } finally {
          button.disabled = false;
        }
      },
    },
    make("h2", { id: "dialog-title" }, title),
    ...fields.map((field) =>
      field instanceof HTMLElement
        ? field
        : make("label", {}, field.label, inputOf(field)),
    ),
    captcha.element,
    problem,
    make(
      "div",
      { class: "actions" },
      make("button", { type: "button", click: () => dialog.close() }, word("cancel")),
      button,
    ),
  );
  const dialog = make(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    form,
  );
  showModal(dialog);
  return button;
}

/**
 * Ask before something that cannot be taken back.
 * @param {string} question
 * @param {string} action the text of the button
 * @param {() => Promise<void>} act
 */
export function showQuestion(question, action, act) {
  showForm(question, [], action, act).classList.add("danger");
}

/** Close all forms. */
export function closeForms() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.close();
  }
}

/** @param {Field} field */
function inputOf(field) {
  const { name, kind = "text", value = "", isRequired = false, options = [], most } = field;
  /** @type {Record<string, string>} */
  const length = most === undefined ? {} : { maxlength: String(most) };
  if (kind === "select") {
    const select = make("select", { name });
    for (const [each, label] of options) {
      select.append(make("option", { value: each, selected: each === value }, label));
    }
    return select;
  }
  if (kind === "textarea") {
    return make("textarea", { name, rows: "6", ...length }, value);
  }
  return make("input", { name, type: kind, value, required: isRequired, ...length });
}

/**
 * @param {FormData} values
 * @param {string} name
 */
function textOf(values, name) {
  const value = values.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/**
 * Make a field to choose an avatar in, which shows it.
 * @param {Promise<Blob>} present
 */
function avatarField(present) {
  const image = make("img", { alt: "" });
  const show = (/** @type {Blob} */ blob) => {
    const url = URL.createObjectURL(blob);
    image.onload = () => URL.revokeObjectURL(url);
    image.onerror = () => {
      URL.revokeObjectURL(url);
      image.removeAttribute("src");
    };
    image.src = url;
  };
  void present.then(show, () => {});
  const input = make("input", {
    name: "avatar",
    type: "file",
    accept: "image/*",
    change: async () => {
      const file = input.files?.[0];
      image.removeAttribute("src");
      if (file !== undefined && (await isShowable(file)) && file === input.files?.[0]) {
        show(file);
      }
    },
  });
  const shown = make("span", { class: "avatar" }, image);
  return make("label", { class: "avatar-field" }, word("avatar"), shown, input);
}

/**
 * Return the key of the notice of an own request, which goes when it is answered.
 * @param {number} id the number of an account, or the code of a group
 */
export function ownRequestKey(id) {
  return `request:${id}`;
}

/** The dialogs of an account. */
export class Dialogs {
  /**
   * @param {import("../../account/client.js").Client} client
   * @param {(text: string, key?: string) => void} tell shows a notice
   * @param {(conversation: Conversation) => void} open
   * @param {(number: number) => boolean} hasAsked whether an account waits for the answer
   *   to its friend request
   */
  constructor(client, tell, open, hasAsked) {
    this.client = client;
    this.hasAsked = hasAsked;
    this.open = open;
    this.people = client.people;
    this.tell = tell;
  }

  /**
   * Show a form whose request may need a captcha.
   * @param {string} title
   * @param {(Field | HTMLElement)[]} fields
   * @param {string} action
   * @param {(values: FormData, captcha?: Captcha) => Promise<void>} act
   */
  showAsking(title, fields, action, act) {
    showForm(title, fields, action, act, () => this.people.fetchCaptcha());
  }

  addFriend() {
    const number = { name: "number", label: word("number"), isRequired: true };
    this.showAsking(word("addFriend"), [number], word("find"), async (values, captcha) => {
      const wanted = Number(textOf(values, "number"));
      if (!Number.isSafeInteger(wanted) || wanted <= 0) {
        throw new Refused(0, word("numberWrong"));
      }
      if (wanted === this.client.session.number) {
        throw new Refused(0, word("ownNumber"));
      }
      const found = await this.people.findPerson(wanted, captcha);
      if (this.client.roster.friends.has(found.tuin)) {
        throw new Refused(0, "account is your friend");
      }
      const { allow, question } = await this.people.rule(found.tuin);
      if (allow === 2) {
        throw new Refused(0, word("acceptsNobody"));
      }
      const label = question || word("requestText");
      const hasAsked = this.hasAsked(wanted);
      /** @type {(Field | HTMLElement)[]} */
      const fields = allow === 0 || hasAsked ? [] : [{ name: "text", label }];
      const isBlocked = this.client.roster.blocked.has(found.tuin);
      for (const [key, isSo] of [["askedAlready", hasAsked], ["blockedHint", isBlocked]]) {
        if (isSo) {
          fields.unshift(make("p", { class: "hint" }, word(String(key))));
        }
      }
      const name = `${isolated(String(found.nick))} (${wanted})`;
      showForm(name, fields, word("add"), async (answers) => {
        const text = textOf(answers, "text");
        await this.people.addFriend(wanted, found.token, allow, text);
        const isAdded = allow === 0 || allow === 3 || hasAsked;
        const key = isAdded ? `friend:${wanted}` : ownRequestKey(wanted);
        this.tell(word(isAdded ? "added" : "requested", { name }), key);
        this.client.view.listsChanged();
      });
    });
  }

  joinGroup() {
    const query = { name: "query", label: word("groupQuery"), isRequired: true };
    this.showAsking(word("joinGroup"), [query], word("find"), async (values, captcha) => {
      const found = await this.people.findGroups(textOf(values, "query"), captcha);
      if (found.length === 0) {
        throw new Refused(0, word("nobody"));
      }
      /** @type {[string, string][]} */
      const options = found.map(({ code, name, number }) => [
        String(code),
        `${isolated(name)} (${number})`,
      ]);
      /** @type {Field[]} */
      const fields = [
        { name: "code", label: word("groups"), kind: "select", options },
        { name: "text", label: word("requestText") },
      ];
      this.showAsking(word("joinGroup"), fields, word("ask"), async (answers, read) => {
        const code = Number(textOf(answers, "code"));
        const { name = "" } = found.find((each) => each.code === code) ?? {};
        this.client.news.groupNames.set(code, name);
        await this.people.joinGroup(code, textOf(answers, "text"), read);
        this.tell(word("requested", { name }), ownRequestKey(code));
      });
    });
  }

  createGroup() {
    const name = { name: "name", label: word("name"), isRequired: true, most: MAX_NAME };
    const picker = new FriendPicker(this.client.roster);
    const fields = [name, picker.element];
    showForm(word("createGroup"), fields, word("create"), async (values) => {
      const uins = [...picker.chosen];
      this.open(await this.people.createGroup(textOf(values, "name"), uins));
    });
  }

  createDiscussion() {
    const name = { name: "name", label: word("name"), isRequired: true, most: MAX_NAME };
    const picker = new FriendPicker(this.client.roster);
    const hint = make("p", { class: "hint" }, word("discussionNeeds"));
    const fields = [name, hint, picker.element];
    const title = word("createDiscussion");
    this.showAsking(title, fields, word("create"), async (values, captcha) => {
      const uins = [...picker.chosen];
      this.open(await this.people.createDiscussion(textOf(values, "name"), uins, captcha));
    });
  }

  profile() {
    const { me } = this.client.roster;
    /** @type {Field[]} */
    const fields = [
      { name: "nick", label: word("nick"), value: me.nick, isRequired: true, most: 64 },
      { name: "signature", label: word("signature"), value: me.signature, most: 500 },
    ];
    const avatar = avatarField(this.client.pictures.avatar(me.uin, false));
    showForm(word("profile"), [...fields, avatar], word("save"), async (values) => {
      const file = values.get("avatar");
      if (file instanceof File && file.size > 0) {
        const { size } = await this.people.setAvatar(file);
        if (size < file.size) {
          const sizes = { from: sizeText(file.size), to: sizeText(size) };
          this.tell(word("avatarShrunk", sizes), "avatar");
        }
      }
      const signature = textOf(values, "signature");
      await this.people.setProfile(textOf(values, "nick"), signature);
    });
  }

  /** @param {number} uin */
  friend(uin) {
    const { roster } = this.client;
    const friend = roster.friends.get(uin);
    if (friend === undefined) {
      return;
    }
    /** @type {[string, string][]} */
    const options = roster.categories.map(({ index, name }) => [
      String(index),
      name || word("myFriends"),
    ]);
    /** @type {Field[]} */
    const fields = [
      { name: "markname", label: word("markname"), value: friend.markname, most: 128 },
      {
        name: "category",
        label: word("category"),
        kind: "select",
        value: String(friend.category),
        options,
      },
    ];
    showForm(roster.nameOf(uin), fields, word("save"), async (values) => {
      const markname = textOf(values, "markname");
      const category = Number(textOf(values, "category"));
      if (markname !== friend.markname) {
        await this.people.renameFriend(uin, markname);
      }
      if (category !== friend.category) {
        await this.people.moveFriend(uin, category);
      }
      this.client.view.listsChanged();
    });
  }

  /** @param {number} uin */
  removeFriend(uin) {
    const title = word("removeFriend", { name: this.client.roster.nameOf(uin) });
    showQuestion(title, word("remove"), async () => {
      await this.people.removeFriend(uin);
      this.client.view.listsChanged();
    });
  }

  /** @param {number} uin @param {boolean} isBlocked */
  block(uin, isBlocked) {
    const name = this.client.roster.nameOf(uin);
    const key = isBlocked ? "block" : "unblock";
    showQuestion(word(`${key}Friend`, { name }), word(key), async () => {
      await this.people.setBlocked(await this.people.numberOf(uin), isBlocked);
    });
  }

  /** @param {Conversation} conversation */
  rename(conversation) {
    const value = this.client.nameOf(conversation);
    const field = { name: "name", label: word("name"), value, isRequired: true, most: MAX_NAME };
    showForm(word("rename"), [field], word("save"), async (values) => {
      const name = textOf(values, "name");
      if (conversation.kind === "group") {
        await this.people.renameGroup(this.codeOf(conversation), name);
      } else {
        await this.people.renameDiscussion(conversation.id, name);
      }
      this.client.view.listsChanged();
    });
  }

  /** @param {Conversation} conversation */
  codeOf({ id }) {
    return this.client.roster.groups.get(id)?.code ?? 0;
  }

  /** @param {Conversation} conversation */
  leave(conversation) {
    const isGroup = conversation.kind === "group";
    const me = this.client.membersOf(conversation)?.get(this.client.session.number);
    const isOwner = isGroup && me?.role === "owner";
    const key = isOwner ? "dissolve" : "leave";
    const name = this.client.nameOf(conversation);
    showQuestion(word(`${key}Group`, { name }), word(key), async () => {
      const code = this.codeOf(conversation);
      if (isOwner) {
        await this.people.dissolveGroup(code);
      } else if (isGroup) {
        await this.people.leaveGroup(code);
      } else {
        await this.people.leaveDiscussion(conversation.id);
      }
      this.client.conversations.all.delete(conversation.key);
      this.client.view.conversationClosed(conversation);
    });
  }

  /** @param {Conversation} conversation */
  removeMember(conversation) {
    const { roster, session } = this.client;
    const members = this.client.membersOf(conversation);
    const isOwner = this.client.groupActions.roleIn(conversation) === "owner";
    /** @type {[string, string][]} */
    const options = [...(members?.values() ?? [])]
      .filter(({ uin, role }) => uin !== session.number && (isOwner || role === "member"))
      .map(({ uin }) => [String(uin), roster.nameOf(uin, members)]);
    /** @type {Field[]} */
    const fields = [{ name: "uin", label: word("members"), kind: "select", options }];
    showForm(word("removeMember"), fields, word("remove"), async (values) => {
      const uin = Number(textOf(values, "uin"));
      await this.people.removeMember(this.codeOf(conversation), uin);
      await this.client.lists.fetchMembers(conversation);
    });
  }
}
