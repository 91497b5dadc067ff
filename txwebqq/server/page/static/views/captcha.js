// @ts-check
// The picture of a captcha, and the field for what a person reads in it.

import { make } from "../dom.js";
import { word } from "../words.js";

/** A part of a form, hidden until there is a captcha. */
export class CaptchaField {
  /** @param {() => void} change asks for another picture */
  constructor(change) {
    this.code = make("input", { name: "code", autocomplete: "off" });
    this.image = make("img", { alt: word("captcha") });
    this.element = make(
      "fieldset",
      { class: "captcha", hidden: true },
      make("p", {}, word("captchaWanted")),
      this.image,
      make("label", {}, word("captcha"), this.code),
      make("button", { type: "button", click: change }, word("otherCaptcha")),
    );
  }

  /** @param {Blob} picture */
  show(picture) {
    const url = URL.createObjectURL(picture);
    this.image.onload = () => URL.revokeObjectURL(url);
    this.image.src = url;
    this.code.value = "";
    this.element.hidden = false;
    this.code.required = true;
    this.code.focus();
  }

  hide() {
    this.code.value = "";
    this.code.required = false;
    this.element.hidden = true;
  }

  /** The characters that were typed. */
  get text() {
    return this.code.value.trim();
  }
}
