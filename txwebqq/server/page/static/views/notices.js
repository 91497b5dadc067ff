// @ts-check
// The notices above the conversations: news, requests of others, and texts that were
// typed and not sent.

import { make } from "../dom.js";
import { word } from "../words.js";
import { reasonOf } from "./dialogs/dialogs.js";

/** The number of news that are shown; more of them push out the oldest. */
const MAX_NEWS = 20;

/** The time in milliseconds for which passing news are shown. */
const PASSING = 20_000;

/** The number of news about one group or account that are shown; others are counted. */
const MAX_TOGETHER = 3;

/**
 * A request of another account.
 * @typedef {object} Request
 * @property {string} key the same for a request that comes again
 * @property {string} text
 * @property {(isAccepted: boolean) => Promise<unknown>} decide
 */

/** The list of notices. */
export class Notices {
  constructor() {
    // It takes the focus when its last notice is closed.
    this.list = make("ul", { class: "notices", tabindex: "-1", "aria-live": "polite" });
    this.closeAll = make(
      "button",
      { type: "button", class: "close-all", hidden: true, click: () => this.closeNews() },
      word("closeAll"),
    );
    this.element = make("div", {}, this.list, this.closeAll);
    /** @type {HTMLElement[]} the oldest first */
    this.news = [];
    /** @type {WeakMap<HTMLElement, {key: string, texts: string[]}>} what news tell */
    this.told = new WeakMap();
    /** @type {Map<string, {element: HTMLElement, count: number, timer: number}>} those
     * that go by themselves, by their keys */
    this.passing = new Map();
    /** @type {Map<string, HTMLElement>} by their keys */
    this.requests = new Map();
    /** @type {Set<string>} the keys of those whose answer is on its way */
    this.deciding = new Set();
    /** Changes when answers to requests that were shown before are nothing any more. */
    this.generation = 0;
  }

  /** Forget all, since the next account must not see it. */
  clear() {
    this.forgetRequests();
    for (const { timer } of this.passing.values()) {
      clearTimeout(timer);
    }
    this.passing.clear();
    this.news = [];
    this.list.replaceChildren();
    this.closeAll.hidden = true;
  }

  /** Forget the requests, whose ids are those of a session that has ended. */
  forgetRequests() {
    this.generation += 1;
    for (const element of this.requests.values()) {
      element.remove();
    }
    this.requests.clear();
    this.deciding.clear();
  }

  /**
   * Show news. Those that nobody has closed go when many others come.
   * @param {string} text
   * @param {string} [key] of what it is about; later news about that are added to it
   */
  tell(text, key = "") {
    const before = this.news.find((each) => {
      const told = this.told.get(each);
      // The same sentence about nothing in particular is one, too.
      return told?.key === key && (key !== "" || told.texts.at(-1) === text);
    });
    const earlier = (before && this.told.get(before)?.texts) ?? [];
    // The same again takes the place of what was told last.
    const texts = earlier.at(-1) === text ? earlier : [...earlier, text];
    const hidden = texts.length - MAX_TOGETHER;
    const shown =
      hidden > 0 ? [word("earlierNews", { count: hidden }), ...texts.slice(hidden)] : texts;
    const close = () => this.closed(element);
    const element = this.add(shown.join("\n"), [[word("close"), close]]);
    before?.remove();
    this.news = this.news.filter((each) => each !== before);
    this.told.set(element, { key, texts });
    this.news.push(element);
    if (this.news.length > MAX_NEWS) {
      this.news.shift()?.remove();
    }
    this.closeAll.hidden = this.news.length < 2;
  }

  /**
   * Take news away that are told no longer.
   * @param {string} key of what they are about
   */
  forget(key) {
    for (const element of this.news.filter((each) => this.told.get(each)?.key === key)) {
      element.remove();
      this.closed(element);
    }
  }

  /**
   * Show news that go after a while; the same again are counted.
   * @param {string} key
   * @param {(count: number) => string} textOf
   */
  pass(key, textOf) {
    const before = this.passing.get(key);
    const count = (before?.count ?? 0) + 1;
    clearTimeout(before?.timer);
    const end = () => {
      clearTimeout(this.passing.get(key)?.timer);
      this.passing.delete(key);
      element.remove();
    };
    const text = textOf(count);
    const element = before?.element ?? this.add(text, [[word("close"), end]]);
    element.firstChild?.replaceWith(text);
    this.passing.set(key, { element, count, timer: Number(setTimeout(end, PASSING)) });
  }

  /**
   * Show a text until it is closed by itself.
   * @param {string} text
   */
  keep(text) {
    this.add(text, [[word("close"), () => {}]]);
  }

  /**
   * Show a request until it is answered; again, with the reason, if the answer does not
   * reach the server.
   * @param {Request} request
   * @param {string} [problem]
   */
  ask(request, problem = "") {
    const { key, text, decide } = request;
    const { generation } = this;
    const answer = (/** @type {boolean} */ isAccepted) => () => {
      this.requests.delete(key);
      this.deciding.add(key);
      void decide(isAccepted).then(
        () => this.deciding.delete(key),
        (error) => {
          // One that came again meanwhile is shown already, and one that was answered
          // elsewhere waits no longer.
          const isAnswered = !this.deciding.delete(key);
          if (this.generation === generation && !isAnswered && !this.requests.has(key)) {
            this.ask(request, reasonOf(error));
          }
        },
      );
    };
    /** @type {[string, () => void][]} */
    const actions = [
      [word("accept"), answer(true)],
      [word("refuse"), answer(false)],
    ];
    if (problem !== "") {
      actions.push([word("close"), () => this.requests.delete(key)]);
    }
    const shown = problem === "" ? text : `${text} (${problem})`;
    const before = this.requests.get(key);
    const element = this.add(shown, actions);
    before?.replaceWith(element);
    this.requests.set(key, element);
  }

  /**
   * Take a request away, since it was answered elsewhere.
   * @param {string} key
   * @returns {boolean} whether it waited for an answer here
   */
  answered(key) {
    this.requests.get(key)?.remove();
    const wasDeciding = this.deciding.delete(key);
    return this.requests.delete(key) || wasDeciding;
  }

  /**
   * Take requests away that the account may not answer any more.
   * @param {string} prefix of their keys
   */
  withdraw(prefix) {
    const keys = [...this.requests.keys(), ...this.deciding];
    for (const key of keys.filter((each) => each.startsWith(prefix))) {
      this.answered(key);
    }
  }

  /** @param {HTMLElement} element */
  closed(element) {
    this.news = this.news.filter((each) => each !== element);
    this.closeAll.hidden = this.news.length < 2;
  }

  closeNews() {
    for (const element of this.news) {
      element.remove();
    }
    this.news = [];
    this.closeAll.hidden = true;
  }

  /**
   * @param {string} text
   * @param {[string, () => void][]} actions
   */
  add(text, actions) {
    const element = make("li", { dir: "auto" }, text);
    for (const [name, act] of actions) {
      const click = () => {
        const next = element.nextElementSibling ?? element.previousElementSibling;
        element.remove();
        act();
        (next?.querySelector("button") ?? this.list).focus();
      };
      element.append(" ", make("button", { type: "button", click }, name));
    }
    // The newest is the first, since many are more than the screen has room for.
    this.list.prepend(element);
    return element;
  }
}
