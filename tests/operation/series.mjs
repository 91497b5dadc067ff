// The numbers of the status page; run by test_statuspage.py.

import assert from "node:assert/strict";
import {
  CHARTS, History, MOST, SPAN, ceiling, duration, lines, short, sums,
} from "../../txwebqq/operation/page/series.js";

const indexOf = (title) => CHARTS.findIndex((chart) => chart.title === title);

function status(time, values, start = 1) {
  const metrics = { process_start_time_seconds: [{ labels: {}, value: start }] };
  for (const [name, samples] of Object.entries(values)) {
    metrics[name] = samples.map(([labels, value]) => ({ labels, value }));
  }
  return { time, metrics };
}

// Values are added up over the labels that are left out; null counts as 0.
{
  const one = status(0, { m: [
    [{ account: "1", kind: "a_b" }, 2], [{ account: "2", kind: "a_b" }, 3], [{ account: "1", kind: "c" }, null],
  ] });
  assert.deepEqual([...sums(one, "m", ["kind"])], [["a b", 5], ["c", 0]]);
  assert.deepEqual([...sums(one, "m")], [["", 5]]);
  assert.equal(sums(one, "other"), undefined);
}

// A rate is the growth in a second over the window; the first moment has none.
{
  const history = new History();
  const index = indexOf("Messages accepted");
  for (let second = 0; second <= 40; second += 2) {
    const count = second <= 20 ? 3 * second : 60;
    history.add(status(second, { txwebqq_server_messages_accepted_total: [[{ kind: "friend" }, count]] }));
  }
  const [{ name, points }] = history.curves(index);
  assert.equal(name, "friend");
  assert.deepEqual(points[0], [0, null]);
  assert.deepEqual(points[1], [2, 3]);
  assert.deepEqual(points[10], [20, 3]);
  assert.equal(points[15][1], 0);
  assert.ok(points[12][1] > 0 && points[12][1] < 3);
  assert.equal(history.curves(indexOf("Memory")), undefined);
}

// The first status alone has no rates, and is no error.
{
  const history = new History();
  const values = {};
  for (const chart of CHARTS) {
    for (const { metric, by = [] } of chart.parts) {
      const labels = Object.fromEntries(by.map((label) => [label, "a"]));
      for (const name of [metric, `${metric}_sum`, `${metric}_count`]) {
        values[name] = [[labels, 1]];
      }
    }
  }
  for (const second of [0, 2]) {
    history.add(status(second, values));
    CHARTS.forEach((chart, index) => {
      for (const { points } of history.curves(index)) {
        assert.equal(points.length, second / 2 + 1);
        assert.equal(points[0][1] === null, chart.kind !== "gauge", chart.title);
      }
    });
  }
}

// A counter that appears later was 0 before, and a busy chart leaves out zeros.
{
  const history = new History();
  const index = indexOf("Messages sent");
  const name = "txwebqq_messages_sent_total";
  const none = [{ kind: "group", outcome: "accepted" }, 7];
  history.add(status(0, { [name]: [none] }));
  history.add(status(10, { [name]: [none, [{ kind: "friend", outcome: "refused" }, 5]] }));
  const curves = history.curves(index);
  assert.deepEqual(curves.map((each) => each.name), ["friend, refused"]);
  assert.deepEqual(curves[0].points, [[0, null], [10, 0.5]]);
}

// A mean is that of the values since the window began; without values there is none.
{
  const history = new History();
  const lag = (sum, count) => ({
    txwebqq_event_loop_lag_seconds_sum: [[{}, sum]], txwebqq_event_loop_lag_seconds_count: [[{}, count]],
  });
  history.add(status(0, lag(100, 1000)));
  history.add(status(2, lag(100.5, 1002)));
  history.add(status(12, lag(100.5, 1002)));
  const [{ points }] = history.curves(indexOf("Lag of the event loop"));
  assert.deepEqual(points, [[0, null], [2, 250], [12, null]]);
}

// Only the last ten minutes are kept, and nothing of an earlier process.
{
  const history = new History();
  const memory = { process_resident_memory_bytes: [[{}, 1048576 * 3]] };
  for (let second = 0; second <= 2000; second += 2) {
    history.add(status(second, memory));
  }
  const index = indexOf("Memory");
  let [{ points }] = history.curves(index);
  assert.equal(points.length, SPAN / 2 + 1);
  assert.deepEqual(points[0], [2000 - SPAN, 3]);
  history.add(status(2002, memory, 2));
  [{ points }] = history.curves(index);
  assert.deepEqual(points, [[2002, 3]]);
  // The clock of the machine was set back.
  history.add(status(1000, memory, 2));
  [{ points }] = history.curves(index);
  assert.deepEqual(points, [[1000, 3]]);
}

// The smallest of too many curves are added up.
{
  const history = new History();
  const samples = Array.from({ length: 20 }, (_, at) => [{ queue: `q${at}` }, at]);
  history.add(status(0, { txwebqq_relay_queue_messages: samples }));
  const curves = history.curves(indexOf("Queues"));
  assert.equal(curves.length, MOST);
  assert.deepEqual(curves[0], { name: "q19", points: [[0, 19]] });
  assert.deepEqual(curves.at(-1), { name: "13 others", points: [[0, 78]] });
}

// Lines are cut where values are missing, and where there was no reply.
assert.deepEqual(lines([[0, 0], [2, 5], [4, null], [6, 10]], 600, 10, 10), ["0,100 2,51", "6,2 6,2"]);
assert.deepEqual(lines([[598, 1], [600, 1]], 600, 1, 10), ["598,2 600,2"]);
assert.deepEqual(lines([[0, 1], [2, 1], [30, 1], [32, 1]], 600, 1, 10), ["0,2 2,2", "30,2 32,2"]);
assert.deepEqual(lines([], 600, 1, 10), []);

assert.deepEqual([0, -1, 0.03, 1, 1.5, 4, 7, 10, 101].map(ceiling), [1, 1, 0.05, 1, 2, 5, 10, 10, 200]);
assert.deepEqual([null, 0, 0.126, 12.34, 1234].map(short), ["–", "0", "0.13", "12.3", "1,234"]);
assert.deepEqual([0, 59, 61, 3600, 200000].map(duration), ["0 s", "59 s", "1 min 1 s", "1 h 0 min", "2 d 7 h"]);
