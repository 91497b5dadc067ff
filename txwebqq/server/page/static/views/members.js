// @ts-check
// The members of the open group or discussion.

import { keyed, make, setText } from "../dom.js";
import { word } from "../words.js";

/** @typedef {import("../account/conversations.js").Conversation} Conversation */

/** The list of members. */
export class MembersView {
  /** @param {import("../account/client.js").Client} client */
  constructor(client) {
    this.client = client;
    /** @type {Map<number, unknown> | null} the members that are shown */
    this.drawn = null;
    this.element = make("ul", { class: "members", "aria-label": word("members") });
  }

  forget() {
    this.element.replaceChildren();
    this.drawn = null;
  }

  /** @param {Conversation} conversation @param {boolean} isNamed */
  draw(conversation, isNamed) {
    const members = this.client.membersOf(conversation);
    this.element.hidden = members === null;
    if (members === this.drawn && !isNamed) {
      return;
    }
    this.drawn = members;
    const sorted = [...(members?.values() ?? [])].sort(
      (a, b) => Number(b.isOnline) - Number(a.isOnline),
    );
    keyed(
      this.element,
      sorted,
      ({ uin }) => String(uin),
      () => make("li", { dir: "auto" }),
      (element, member) => {
        const name = this.client.roster.nameOf(member.uin, members);
        const role = member.role === "member" ? "" : ` (${word(member.role)})`;
        const until = this.client.roster.groups.get(conversation.id)?.mutes.get(member.uin);
        const isMuted = conversation.kind === "group" && (until ?? 0) > Date.now();
        setText(element, name + role + (isMuted ? ` (${word("muted")})` : ""));
        element.dataset.online = String(member.isOnline);
      },
    );
  }
}
