// @ts-check
// The members of the open group or discussion.

import { keyed, make, setText } from "../../dom.js";
import { word } from "../../words.js";
import { Growing } from "./growing.js";

/** @typedef {import("../../account/conversations.js").Conversation} Conversation */

/** The list of members. */
export class MembersView {
  /** @param {import("../../account/client.js").Client} client */
  constructor(client) {
    this.client = client;
    /** @type {Map<number, import("../../account/roster.js").Member> | null} those shown */
    this.drawn = null;
    /** @type {Conversation | null} */
    this.conversation = null;
    /** @type {import("../../account/roster.js").Member[]} */
    this.sorted = [];
    this.growing = new Growing(() => this.drawPart());
    this.list = make("ul", { "aria-label": word("members") });
    this.element = make("div", { class: "members" }, this.list, this.growing.end);
  }

  forget() {
    this.list.replaceChildren();
    this.drawn = null;
    this.conversation = null;
    this.sorted = [];
  }

  /** @param {Conversation} conversation @param {boolean} isNamed */
  draw(conversation, isNamed) {
    const members = this.client.membersOf(conversation);
    this.element.hidden = members === null;
    if (members === this.drawn && !isNamed) {
      return;
    }
    if (members !== this.drawn) {
      this.growing.reset();
    }
    this.drawn = members;
    this.conversation = conversation;
    this.sorted = [...(members?.values() ?? [])].sort(
      (a, b) => Number(b.isOnline) - Number(a.isOnline),
    );
    this.drawPart();
  }

  drawPart() {
    keyed(
      this.list,
      this.growing.part(this.sorted),
      ({ uin }) => String(uin),
      () => make("li", { dir: "auto" }),
      (element, member) => {
        const name = this.client.roster.nameOf(member.uin, this.drawn);
        const role = member.role === "member" ? "" : ` (${word(member.role)})`;
        const group =
          this.conversation?.kind === "group"
            ? this.client.roster.groups.get(this.conversation.id)
            : undefined;
        const isMuted = (group?.mutes.get(member.uin) ?? 0) > Date.now();
        setText(element, name + role + (isMuted ? ` (${word("muted")})` : ""));
        element.dataset.online = String(member.isOnline);
      },
    );
  }
}
