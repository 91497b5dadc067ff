// @ts-check
// Dialogs above the page, and the focus, which returns to what opened them.

/** @type {Element | null} what had the focus before the first of the open dialogs */
let opener = null;

/**
 * Show a dialog until it is closed.
 * @param {HTMLDialogElement} dialog
 */
export function showModal(dialog) {
  if (!isAnyOpen()) {
    opener = document.activeElement;
  }
  dialog.addEventListener("close", () => {
    dialog.remove();
    // The browser gives the focus to the dialog before, which may be gone.
    if (!isAnyOpen() && document.activeElement === document.body) {
      /** @type {HTMLElement | null} */ (opener)?.focus();
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}

function isAnyOpen() {
  return document.querySelector("dialog[open]") !== null;
}
