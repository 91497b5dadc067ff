// @ts-check
// The form to sign in with.

import { make, setText } from "../dom.js";
import { CaptchaNeeded, LoginRefused, Unreachable, passwordHash } from "../session.js";
import { MalformedReply } from "../wire.js";
import { hasWord, word } from "../words.js";
import { CaptchaField } from "./captcha.js";

/** The code of a sign-on whose captcha was wrong (docs/protocol.md 2.1.2). */
const WRONG_CAPTCHA = 4;

/** The sign-in form. */
export class SignOnView {
  /**
   * @param {import("../session.js").Session} session
   */
  constructor(session) {
    this.session = session;
    /** @type {{code: string, salt: Uint8Array, captcha: Blob | null} | null} */
    this.challenge = null;
    this.challenged = "";
    this.number = make("input", {
      name: "number",
      inputmode: "numeric",
      autocomplete: "username",
      required: true,
      input: () => this.forgetChallenge(),
    });
    this.password = make("input", {
      name: "password",
      type: "password",
      autocomplete: "current-password",
      required: true,
    });
    this.problem = make("p", { class: "problem", role: "alert" });
    this.button = make("button", {}, word("signOn"));
    this.captcha = new CaptchaField(() => void this.changeCaptcha());
    this.element = make(
      "form",
      { class: "signon", submit: (event) => this.submitted(event) },
      make("h1", {}, word("title")),
      make("label", {}, word("number"), this.number),
      make("label", {}, word("password"), this.password),
      this.captcha.element,
      this.problem,
      this.button,
      ...signUpLink(),
    );
    // The sign-up page leads here with the number of the new account.
    const made = /^#([1-9][0-9]{4,9})$/.exec(location.hash);
    if (made !== null) {
      this.number.value = made[1];
      history.replaceState(null, "", location.pathname + location.search);
    }
  }

  /** @param {string} text */
  tell(text) {
    setText(this.problem, text);
    this.focus();
  }

  /** Ask for what is missing. */
  focus() {
    (this.number.value === "" ? this.number : this.password).focus();
  }

  /** A captcha is for one number only. */
  forgetChallenge() {
    this.challenge = null;
    this.captcha.hide();
  }

  /** @param {Event} event */
  submitted(event) {
    event.preventDefault();
    void this.signOn();
  }

  /** @param {boolean} isNew whether to fetch another captcha */
  async fetchChallenge(isNew) {
    const number = this.number.value.trim();
    if (isNew || this.challenge === null || this.challenged !== number) {
      this.challenge = await this.session.challenge(Number(number));
      this.challenged = number;
      const { captcha } = this.challenge;
      if (captcha === null) {
        this.captcha.hide();
      } else {
        this.captcha.show(captcha);
      }
    }
    return this.challenge;
  }

  async changeCaptcha() {
    try {
      await this.fetchChallenge(true);
    } catch (error) {
      setText(this.problem, problemOf(error));
    }
  }

  async signOn() {
    const number = this.number.value.trim();
    if (!/^[1-9][0-9]{4,9}$/.test(number)) {
      setText(this.problem, word("numberWrong"));
      this.number.focus();
      return;
    }
    this.button.disabled = true;
    setText(this.problem, word("signingOn"));
    try {
      const { captcha, code, salt } = await this.fetchChallenge(false);
      const typed = this.captcha.text;
      if (captcha !== null && typed === "") {
        setText(this.problem, "");
        return;
      }
      this.challenge = null;
      this.captcha.hide();
      const hash = passwordHash(this.password.value);
      const answer = { code: captcha === null ? code : typed, salt };
      await this.session.signOn(Number(number), hash, answer, "online");
      this.password.value = "";
      setText(this.problem, "");
    } catch (error) {
      setText(this.problem, problemOf(error));
      await this.askAgain(error);
    } finally {
      this.button.disabled = false;
    }
  }

  /**
   * Have what was wrong typed again: the characters of another captcha, or the password.
   * @param {unknown} error
   */
  async askAgain(error) {
    if (error instanceof LoginRefused && error.code === WRONG_CAPTCHA) {
      await this.changeCaptcha();
    } else {
      this.password.focus();
      this.password.select();
    }
  }
}

/** @returns {HTMLElement[]} a link to the sign-up page where that is open */
function signUpLink() {
  /** @type {HTMLMetaElement | null} */
  const place = document.querySelector('meta[name="sign-up"]');
  return place === null ? [] : [make("a", { href: place.content }, word("signUp"))];
}

/** @param {unknown} error */
function problemOf(error) {
  if (error instanceof LoginRefused) {
    const { code } = error;
    return hasWord(`login${code}`)
      ? word(`login${code}`)
      : word("loginOther", { code });
  }
  const isUnreachable = error instanceof Unreachable || error instanceof MalformedReply;
  if (isUnreachable || error instanceof CaptchaNeeded) {
    return word("unreachable");
  }
  return String(error);
}
