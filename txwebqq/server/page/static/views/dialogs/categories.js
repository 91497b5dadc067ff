// @ts-check
// The dialog of the categories of the friend list.

import { make, setText } from "../../dom.js";
import { word } from "../../words.js";
import { reasonOf } from "./dialogs.js";
import { showContent } from "./groupdialogs.js";

/** The greatest length of the name of a category, in characters. */
const MAX_NAME = "64";

/**
 * Show the categories, to rename and delete them, and to create one.
 * @param {import("../../account/client.js").Client} client
 */
export function showCategories(client) {
  const { people, roster } = client;
  const problem = make("p", { class: "problem", role: "alert" });
  const list = make("ul", { class: "categories" });
  const change = async (/** @type {Promise<void>} */ changing) => {
    setText(problem, "");
    try {
      await changing;
      draw();
    } catch (error) {
      setText(problem, reasonOf(error));
    }
    client.view.listsChanged();
  };
  /**
   * @param {string} label
   * @param {string} value
   * @param {string} action
   * @param {(name: string) => Promise<void>} act
   * @param {HTMLElement[]} more
   */
  const line = (label, value, action, act, ...more) => {
    const field = make("input", { "aria-label": label, value, maxlength: MAX_NAME });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      void change(act(field.value.trim()));
    };
    return make("li", {}, make("form", { submit }, field, make("button", {}, action), ...more));
  };
  const draw = () => {
    const named = roster.categories.filter(({ index }) => index !== 0);
    list.replaceChildren(
      ...named.map(({ index, name }) => {
        const remove = make(
          "button",
          {
            type: "button",
            "aria-label": `${word("remove")}: ${name}`,
            click: () => void change(people.deleteCategory(index)),
          },
          word("remove"),
        );
        const act = (/** @type {string} */ text) => people.renameCategory(index, text);
        return line(name, name, word("rename"), act, remove);
      }),
      line(word("newCategory"), "", word("create"), (name) => people.createCategory(name)),
    );
  };
  draw();
  const hint = make("p", { class: "hint" }, word("categoryHint"));
  showContent(word("categories"), hint, list, problem);
}
