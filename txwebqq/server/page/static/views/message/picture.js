// @ts-check
// A picture in a message, which opens in its full size.

import { Unshowable } from "../../account/pictures.js";
import { make } from "../../dom.js";
import { isStrip } from "../../pictures/formats.js";
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
    .then((blob) => load(image, blob))
    .catch((error) => {
      const failure = error instanceof Unshowable ? "pictureUnshown" : "pictureFailed";
      button.replaceWith(make("em", {}, word(failure)));
    });
  return button;
}

/**
 * Show a picture in an element.
 * @param {HTMLImageElement} image
 * @param {Blob} blob
 * @returns {Promise<void>} fails with {@link Unshowable} if the browser cannot read it
 */
async function load(image, blob) {
  const url = URL.createObjectURL(blob);
  try {
    await new Promise((resolve, reject) => {
      image.addEventListener("load", resolve);
      image.addEventListener("error", () => reject(new Unshowable("picture")));
      image.src = url;
    });
  } finally {
    URL.revokeObjectURL(url);
  }
  markStrip(image);
}

/** @param {HTMLImageElement} image */
function markStrip(image) {
  image.classList.toggle("strip", isStrip(image.naturalWidth, image.naturalHeight));
}

/** @param {Blob} blob */
function showPicture(blob) {
  const url = URL.createObjectURL(blob);
  const name = `${word("picture")}.${blob.type.replace(/^image\//, "") || "png"}`;
  const image = make("img", {
    src: url,
    alt: word("picture"),
    load: () => {
      // It becomes wider, but not longer as well.
      image.width = image.naturalWidth;
      image.height = image.naturalHeight;
      markStrip(image);
    },
  });
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
      image,
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
