// @ts-check
// A long list, of which more is drawn as it is scrolled, so that thousands of entries
// cost no more than those that are looked at.

import { make } from "../../dom.js";

/** The entries that are drawn at first, and those that each scroll adds. */
const STEP = 150;

/** The part of a long list that is drawn. */
export class Growing {
  /** @param {() => void} draw draws the list again, with a higher limit */
  constructor(draw) {
    this.limit = STEP;
    /** Stands below the list, and is hidden when all of it is drawn. */
    this.end = make("div", { class: "end", "aria-hidden": "true" });
    this.observer = new IntersectionObserver(
      (seen) => {
        if (seen.some(({ isIntersecting }) => isIntersecting)) {
          this.limit += STEP;
          draw();
        }
      },
      { rootMargin: "600px" },
    );
  }

  /** Begin again at the top. */
  reset() {
    this.limit = STEP;
  }

  /**
   * Return the items to draw.
   * @template Item
   * @param {Item[]} items
   */
  part(items) {
    // An observer tells of changes only: seen as new, it tells where the end is now.
    this.observer.unobserve(this.end);
    this.end.hidden = items.length <= this.limit;
    if (!this.end.hidden) {
      this.observer.observe(this.end);
    }
    return items.slice(0, this.limit);
  }
}
