// @ts-check
// The times of messages.

const clockTime = new Intl.DateTimeFormat(undefined, {
  hour: "numeric",
  minute: "2-digit",
});
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
});
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "short" });

/** @param {Date} time */
function isToday(time) {
  return time.toDateString() === new Date().toDateString();
}

/**
 * Return a time as it stands at a message.
 * @param {number} seconds Unix seconds
 */
export function timeText(seconds) {
  const time = new Date(seconds * 1000);
  return isToday(time) ? clockTime.format(time) : dayAndTime.format(time);
}

/**
 * Return a time as it stands in a list: that of today, or the day.
 * @param {number} seconds Unix seconds
 */
export function shortTimeText(seconds) {
  const time = new Date(seconds * 1000);
  return isToday(time) ? clockTime.format(time) : day.format(time);
}
