// The charts of the status page, and the numbers that they show. Nothing here knows
// the document.

/** Time for which values are kept, in seconds. */
export const SPAN = 600;

/** Number of curves of a chart; those that are left over are added up. */
export const MOST = 8;

/**
 * The charts. A part of one is a metric, added up over all labels but those in `by`.
 * - gauge: the value;
 * - rate: what a counter has grown in a second, over the last `window` seconds;
 * - mean: the mean of the values that a histogram was given in that time.
 * All are multiplied by `scale`. A `busy` chart leaves out curves that are 0.
 */
export const CHARTS = [
  { title: "Messages accepted", unit: "a second", kind: "rate", window: 10, parts: [
    { metric: "txwebqq_server_messages_accepted_total", by: ["kind"] } ] },
  { title: "Messages received", unit: "a second", kind: "rate", window: 10, parts: [
    { metric: "txwebqq_messages_received_total", by: ["kind"] } ] },
  { title: "Messages sent", unit: "a second", kind: "rate", window: 10, busy: true, parts: [
    { metric: "txwebqq_messages_sent_total", by: ["kind", "outcome"] } ] },
  { title: "Refusals by code", unit: "a minute", kind: "rate", window: 60, scale: 60, busy: true, parts: [
    { metric: "txwebqq_server_refusals_total", by: ["code"] } ] },
  { title: "Sessions and polls", unit: "", kind: "gauge", parts: [
    { metric: "txwebqq_server_sessions", by: ["state"] },
    { metric: "txwebqq_server_polls_held", name: "polls held" } ] },
  { title: "Accounts by state", unit: "", kind: "gauge", busy: true, parts: [
    { metric: "txwebqq_account_state", by: ["state"] } ] },
  { title: "IRC", unit: "", kind: "gauge", parts: [
    { metric: "txwebqq_gateway_clients", name: "clients" },
    { metric: "txwebqq_relay_network_connected", name: "networks connected" } ] },
  { title: "Queues", unit: "messages", kind: "gauge", parts: [
    { metric: "txwebqq_server_events_waiting", name: "events waiting" },
    { metric: "txwebqq_gateway_unstored_messages", name: "not stored" },
    { metric: "txwebqq_relay_queue_messages", by: ["queue"] },
    { metric: "txwebqq_queue_messages", by: ["kind"], name: "to" } ] },
  { title: "Oldest message of a queue", unit: "s", kind: "gauge", busy: true, parts: [
    { metric: "txwebqq_queue_oldest_seconds", by: ["account"], name: "account" } ] },
  { title: "Messages out of queues", unit: "a minute", kind: "rate", window: 60, scale: 60, busy: true, parts: [
    { metric: "txwebqq_queue_outcomes_total", by: ["outcome"] } ] },
  { title: "Unsent to IRC clients", unit: "KiB", kind: "gauge", scale: 1 / 1024, parts: [
    { metric: "txwebqq_gateway_send_queue_bytes", name: "send queues" } ] },
  { title: "Events", unit: "a second", kind: "rate", window: 10, parts: [
    { metric: "txwebqq_server_events_queued_total", name: "stored" },
    { metric: "txwebqq_server_events_delivered_total", name: "delivered" } ] },
  { title: "Sign-ons", unit: "a minute", kind: "rate", window: 60, scale: 60, busy: true, parts: [
    { metric: "txwebqq_server_sign_ons_total", by: ["outcome"] },
    { metric: "txwebqq_sign_ons_total", by: ["outcome"] },
    { metric: "txwebqq_reconnects_total", by: ["way"], name: "again by" },
    { metric: "txwebqq_poll_failures_total", name: "failed polls" } ] },
  { title: "HTTP requests by status", unit: "a second", kind: "rate", window: 10, busy: true, parts: [
    { metric: "txwebqq_server_http_requests_total", by: ["status"] } ] },
  { title: "Lag of the event loop", unit: "ms", kind: "mean", window: 10, scale: 1000, parts: [
    { metric: "txwebqq_event_loop_lag_seconds", name: "mean" } ] },
  { title: "Database transactions", unit: "ms", kind: "mean", window: 10, scale: 1000, parts: [
    { metric: "txwebqq_server_database_commit_seconds", name: "mean time" } ] },
  { title: "Memory", unit: "MiB", kind: "gauge", scale: 1 / 1048576, parts: [
    { metric: "process_resident_memory_bytes", name: "resident" } ] },
  { title: "CPU", unit: "%", kind: "rate", window: 10, scale: 100, parts: [
    { metric: "process_cpu_seconds_total", name: "of one core" } ] },
  { title: "File descriptors", unit: "", kind: "gauge", parts: [
    { metric: "process_open_fds", name: "open" } ] },
  { title: "Delayed calls", unit: "", kind: "gauge", parts: [
    { metric: "txwebqq_delayed_calls", name: "of the reactor" } ] },
];

/**
 * Returns the values of a metric in a status, added up by the labels of `by`, as a
 * Map from their texts; undefined if the status does not have the metric.
 */
export function sums(status, metric, by = []) {
  const samples = status.metrics[metric];
  if (samples === undefined) {
    return undefined;
  }
  const found = new Map();
  for (const { labels, value } of samples) {
    const key = by.map((label) => labels[label].replaceAll("_", " ")).join(", ");
    found.set(key, (found.get(key) ?? 0) + (value ?? 0));
  }
  return found;
}

/** Returns the curves of a chart in one status: a Map from names to [number, count]. */
function reading(chart, status) {
  const found = new Map();
  for (const part of chart.parts) {
    const isMean = chart.kind === "mean";
    const values = sums(status, isMean ? `${part.metric}_sum` : part.metric, part.by);
    const counts = isMean ? sums(status, `${part.metric}_count`, part.by) : undefined;
    for (const [key, value] of values ?? []) {
      const name = [part.name, key].filter(Boolean).join(" ");
      found.set(name, [value, counts?.get(key) ?? 0]);
    }
  }
  return found;
}

/** The values of the last ten minutes, for all charts. */
export class History {
  #moments = [];
  #start = undefined;

  /** Adds a status. Counters of another process than the last one begin anew. */
  add(status) {
    const start = status.metrics.process_start_time_seconds?.[0]?.value;
    if (start !== this.#start || status.time < (this.#moments.at(-1)?.time ?? 0)) {
      this.#moments = [];
      this.#start = start;
    }
    const readings = CHARTS.map((chart) => reading(chart, status));
    this.#moments.push({ time: status.time, readings });
    while (this.#moments[0].time < status.time - SPAN) {
      this.#moments.shift();
    }
  }

  /**
   * Returns the curves of a chart, by its index: a list of { name, points }, where a
   * point is [time, value] and null stands for no value. undefined: the daemon has no
   * such metric.
   */
  curves(index) {
    const chart = CHARTS[index];
    const names = new Set(this.#moments.flatMap(({ readings }) => [...readings[index].keys()]));
    if (names.size === 0) {
      return undefined;
    }
    let curves = [...names].map((name) => ({ name, points: this.#points(chart, index, name) }));
    if (chart.busy) {
      curves = curves.filter(({ points }) => points.some(([, value]) => value));
    }
    if (curves.length <= MOST) {
      return curves;
    }
    const largest = ({ points }) => Math.max(...points.map(([, value]) => value ?? 0));
    curves.sort((one, other) => largest(other) - largest(one));
    const rest = curves.splice(MOST - 1);
    const points = rest[0].points.map(([time], at) => (
      [time, rest.reduce((sum, each) => sum + (each.points[at][1] ?? 0), 0)]));
    return [...curves, { name: `${rest.length} others`, points }];
  }

  #points(chart, index, name) {
    const scale = chart.scale ?? 1;
    let first = 0;
    return this.#moments.map(({ time, readings }) => {
      const now = readings[index].get(name);
      if (now === undefined) {
        return [time, null];
      }
      if (chart.kind === "gauge") {
        return [time, now[0] * scale];
      }
      while (this.#moments[first + 1]?.time <= time - chart.window) {
        first += 1;
      }
      const { time: since, readings: former } = this.#moments[first];
      if (since === time) {
        return [time, null];
      }
      // A counter with labels is there from its first event on.
      const [value, count] = former[index].get(name) ?? [0, 0];
      const over = chart.kind === "rate" ? time - since : now[1] - count;
      return [time, over > 0 ? ((now[0] - value) / over) * scale : null];
    });
  }
}

/** Returns the smallest of 1, 2, 5, 10, 20, 50... and 0.1, 0.2... that is not below. */
export function ceiling(value) {
  if (!(value > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((each) => each * power >= value * 0.999999);
  return factor * power;
}

/**
 * Returns the lines of a curve in a picture of 600 by 100, of which `top` is the
 * value at the upper edge: lists of points as for a polyline of SVG. A new line begins
 * after a missing value, and after `gap` seconds without one.
 */
export function lines(points, end, top, gap) {
  const found = [];
  let current;
  let last = -Infinity;
  for (const [time, value] of points) {
    if (value === null || time - last > gap) {
      current = undefined;
    }
    if (value === null) {
      continue;
    }
    if (current === undefined) {
      current = [];
      found.push(current);
    }
    const x = Math.round((time - end + SPAN) * 10) / 10;
    const y = Math.round((1 - Math.min(value / top, 1)) * 980) / 10 + 2;
    current.push(`${x},${Math.round(y * 10) / 10}`);
    last = time;
  }
  // A point alone would not be seen.
  return found.map((each) => (each.length === 1 ? [each[0], each[0]] : each).join(" "));
}

/** Returns a number as a short text. */
export function short(value) {
  if (value === null || value === undefined) {
    return "–";
  }
  const size = Math.abs(value);
  const digits = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** Returns a time in seconds in its two largest units. */
export function duration(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const at = Math.max(0, units.findIndex(([, size]) => seconds >= size));
  let left = Math.max(0, Math.floor(seconds));
  return (seconds < 1 ? [["s", 1]] : units.slice(at, at + 2)).map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return `${count} ${unit}`;
  }).join(" ");
}
