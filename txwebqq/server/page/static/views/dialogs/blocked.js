// @ts-check
// The dialog of the accounts that are blocked, friends or not.

import { make, setText } from "../../dom.js";
import { word } from "../../words.js";
import { reasonOf } from "./dialogs.js";
import { showContent } from "./groupdialogs.js";

/**
 * Show the blocked accounts, to unblock them.
 * @param {import("../../account/client.js").Client} client
 */
export async function showBlocked(client) {
  const { lists, people, roster } = client;
  const note = make("p", { role: "status" });
  const list = make("ul", { class: "categories" });
  const draw = () => {
    list.replaceChildren(...[...roster.blocked].map(([uin, about]) => entryOf(uin, about)));
    setText(note, roster.blocked.size === 0 ? word("noneBlocked") : "");
  };
  const entryOf = (
    /** @type {number} */ uin,
    /** @type {import("../../account/roster.js").Blocked} */ { number, nick },
  ) => {
    const name = client.roster.knownNameOf(uin) || nick;
    const shown = name === "" ? String(number) : word("nameAndNumber", { name, number });
    const unblock = async () => {
      button.disabled = true;
      try {
        await people.setBlocked(number, false);
        draw();
      } catch (error) {
        button.disabled = false;
        setText(note, reasonOf(error));
      }
    };
    const button = make(
      "button",
      { type: "button", "aria-label": `${word("unblock")}: ${shown}`, click: () => void unblock() },
      word("unblock"),
    );
    return make("li", {}, make("span", { dir: "auto" }, shown), " ", button);
  };
  showContent(word("blockedPeople"), list, note);
  try {
    await lists.fetchBlocked();
    draw();
  } catch (error) {
    setText(note, reasonOf(error));
  }
}
