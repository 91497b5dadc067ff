// @ts-check
// The browser's Back button and gesture on narrow screens, where a conversation covers
// the lists: an open conversation is an entry of the history, which going back closes.
// Browsers close dialogs by themselves then.

/** The width below which style.css shows the lists or a conversation. */
const NARROW = "(max-width: 720px)";

/** The entry of the browser's history for an open conversation. */
export class BackButton {
  /** @param {() => void} close closes the open conversation */
  constructor(close) {
    this.isOpen = false;
    /** Whether the entry is being left because of the page itself. */
    this.isLeaving = false;
    addEventListener("popstate", () => {
      const isLeaving = this.isLeaving;
      this.isLeaving = false;
      if (isEntry()) {
        // The Forward button: nobody knows which conversation it was.
        this.leave();
      } else if (!isLeaving) {
        close();
      } else if (this.isOpen) {
        // A conversation was opened meanwhile.
        this.enter();
      }
    });
    if (isEntry()) {
      // The page was reloaded, and shows the lists at first.
      this.leave();
    }
  }

  /** @param {boolean} isOpen whether a conversation is open */
  changed(isOpen) {
    this.isOpen = isOpen;
    if (isOpen) {
      this.enter();
    } else if (isEntry() && !this.isLeaving) {
      this.leave();
    }
  }

  enter() {
    if (!isEntry() && matchMedia(NARROW).matches) {
      history.pushState({ isConversation: true }, "");
    }
  }

  leave() {
    this.isLeaving = true;
    history.back();
  }
}

function isEntry() {
  return history.state?.isConversation === true;
}
