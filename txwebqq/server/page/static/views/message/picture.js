// @ts-check
// A picture in a message, which opens in its full size.

import { make } from "../../dom.js";
import { word } from "../../words.js";
import { showModal } from "../dialogs/modal.js";

/**
 * Return a picture that is being fetched.
 * @param {Promise<Blob>} fetching
 * @returns {HTMLElement}
 */
export function makePicture(fetching) {
  const image = make("img", { alt: word("picture"), class: "picture" });
  const button = make(
    "button",
    {
      type: "button",
      class: "open-picture",
      title: word("openPicture"),
      click: () => void fetching.then(showPicture, () => {}),
    },
    image,
  );
  fetching
    .then((blob) => {
      const url = URL.createObjectURL(blob);
      image.addEventListener("load", () => URL.revokeObjectURL(url));
      image.src = url;
    })
    .catch(() => {
      button.replaceWith(make("em", {}, word("pictureFailed")));
    });
  return button;
}

/** @param {Blob} blob */
function showPicture(blob) {
  const url = URL.createObjectURL(blob);
  const name = `${word("picture")}.${blob.type.replace(/^image\//, "") || "png"}`;
  const close = make("button", { type: "button", click: () => dialog.close() }, word("close"));
  const dialog = make(
    "dialog",
    {
      class: "viewer",
      "aria-label": word("picture"),
      close: () => URL.revokeObjectURL(url),
      click: (event) => {
        // The space around a dialog belongs to it.
        if (event.target === dialog) {
          dialog.close();
        }
      },
    },
    make(
      "div",
      { class: "whole", tabindex: "0" },
      make("img", { src: url, alt: word("picture") }),
    ),
    make(
      "div",
      { class: "actions" },
      make("a", { href: url, download: name }, word("save")),
      close,
    ),
  );
  showModal(dialog);
  close.focus();
}
