// The status page: asks for status.json again and again, and shows it.

import { CHARTS, History, SPAN, ceiling, duration, lines, short, sums } from "./series.js";

const INTERVAL = 2000;
const PATIENCE = 10000;
const GAP = 20;
const MOST_REASONS = 8;
const SVG = "http://www.w3.org/2000/svg";
const ONLINE = "online";
const AWAITING = "awaiting captcha";

const COLUMNS = [
  ["Account"], ["State"],
  ["Received", "txwebqq_messages_received_total"],
  ["Sent", "txwebqq_messages_sent_total", "accepted"],
  ["Uncertain", "txwebqq_messages_sent_total", "uncertain"],
  ["Sign-ons", "txwebqq_sign_ons_total", "signed_on"],
  ["Sessions lost", "txwebqq_sessions_lost_total"],
  ["Failed polls", "txwebqq_poll_failures_total"],
];

const byId = (id) => document.getElementById(id);
const history = new History();
const figures = new Map();
let token = "";
let lastReply = 0;
let isRefused = false;

function make(parent, name, className, text) {
  const made = document.createElement(name);
  if (className) {
    made.className = className;
  }
  if (text !== undefined) {
    made.textContent = text;
  }
  parent.append(made);
  return made;
}

function makeSVG(parent, name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  parent.append(made);
  return made;
}

// Screen readers announce a text again when it is written again.
function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function fill(list, count, name) {
  while (list.children.length > count) {
    list.lastElementChild.remove();
  }
  while (list.children.length < count) {
    make(list, name);
  }
}

function showState(text, kind) {
  write(byId("state"), text);
  byId("state").className = `state ${kind}`;
  document.title = `${text} – ${byId("daemon").textContent}`;
}

function showHead(status) {
  write(byId("daemon"), status.daemon);
  const start = status.metrics.process_start_time_seconds?.[0]?.value;
  const age = start === undefined ? "" : `, running for ${duration(status.time - start)}`;
  write(byId("about"), `txwebqq ${status.version}${age}`);
  showState(status.ready ? "Ready" : "Not ready", status.ready ? "good" : "bad");
  byId("problems").hidden = status.ready;
  const reasons = status.problems.slice(0, MOST_REASONS);
  if (status.problems.length > MOST_REASONS) {
    reasons.push(`and ${status.problems.length - MOST_REASONS} more, which /readyz has`);
  }
  fill(byId("reasons"), reasons.length, "li");
  reasons.forEach((text, at) => write(byId("reasons").children[at], text));
}

function accountRows(status) {
  const states = new Map();
  for (const { labels, value } of status.metrics.txwebqq_account_state ?? []) {
    if (value === 1 || !states.has(labels.account)) {
      states.set(labels.account, value === 1 ? labels.state : "");
    }
  }
  const counts = COLUMNS.slice(2).map(([, metric, outcome]) => {
    const metrics = { [metric]: status.metrics[metric]?.filter(
      ({ labels }) => outcome === undefined || labels.outcome === outcome) };
    return sums({ metrics }, metric, ["account"]);
  });
  const rows = [...states].map(([account, state]) => (
    [account, state.replaceAll("_", " "), ...counts.map((each) => each?.get(account) ?? 0)]));
  return rows.sort((one, other) => (
    (one[1] === ONLINE) - (other[1] === ONLINE) || Number(one[0]) - Number(other[0])));
}

function showAccounts(status) {
  const rows = accountRows(status);
  byId("accounts").hidden = rows.length === 0;
  byId("captcha").hidden = rows.every((row) => row[1] !== AWAITING);
  const body = byId("rows");
  fill(body, rows.length, "tr");
  rows.forEach((row, at) => {
    const line = body.children[at];
    if (line.children.length === 0) {
      make(line, "th").scope = "row";
      COLUMNS.slice(1).forEach((_, column) => make(line, "td", column ? "number" : ""));
    }
    row.forEach((value, column) => (
      write(line.children[column], column < 2 ? value : value.toLocaleString("en"))));
    line.children[1].className = row[1] === ONLINE ? "" : "bad";
  });
}

function makeFigure(chart) {
  const figure = document.createElement("figure");
  const caption = make(figure, "figcaption", "", `${chart.title} `);
  make(caption, "span", "unit", chart.unit);
  const plot = make(figure, "div", "plot");
  const picture = makeSVG(plot, "svg", {
    viewBox: `0 0 ${SPAN} 100`, preserveAspectRatio: "none", role: "img",
  });
  for (const y of [2, 51]) {
    makeSVG(picture, "line", { class: "grid", x1: 0, x2: SPAN, y1: y, y2: y });
  }
  const curves = makeSVG(picture, "g", {});
  const top = make(plot, "span", "top");
  const times = make(figure, "div", "times");
  times.setAttribute("aria-hidden", "true");
  top.setAttribute("aria-hidden", "true");
  make(times, "span", "", "10 min ago");
  make(times, "span", "", "now");
  return { figure, picture, curves, top, legend: make(figure, "ul", "legend") };
}

function showChart(chart, index, end) {
  const curves = history.curves(index);
  if (curves === undefined) {
    return;
  }
  if (!figures.has(index)) {
    const made = makeFigure(chart);
    figures.set(index, made);
    const next = [...figures.keys()].filter((each) => each > index).sort((a, b) => a - b)[0];
    byId("charts").insertBefore(made.figure, figures.get(next)?.figure ?? null);
  }
  const { picture, curves: group, top, legend } = figures.get(index);
  const values = curves.flatMap(({ points }) => points.map(([, value]) => value ?? 0));
  const most = ceiling(1.05 * values.reduce((one, other) => Math.max(one, other), 0));
  write(top, short(most));
  group.replaceChildren();
  fill(legend, Math.max(1, curves.length), "li");
  const now = curves.map(({ name, points }, at) => {
    for (const line of lines(points, end, most, GAP)) {
      makeSVG(group, "polyline", { class: `curve c${at}`, points: line });
    }
    return `${name} ${short(points.at(-1)[1])}`;
  });
  [...legend.children].forEach((item, at) => {
    if (item.children.length === 0) {
      const mark = makeSVG(item, "svg", { viewBox: "0 0 22 8", "aria-hidden": "true" });
      makeSVG(mark, "line", { class: `curve c${at}`, x1: 1, x2: 21, y1: 4, y2: 4 });
      make(item, "span");
    }
    item.firstElementChild.classList.toggle("none", curves.length === 0);
    write(item.lastElementChild, now[at] ?? "none in this time");
  });
  picture.setAttribute("aria-label", `${[chart.title, chart.unit].join(" ").trim()}: ${now.join("; ") || "none"}`);
}

function showValues(status) {
  if (!byId("values").open) {
    return;
  }
  const rows = Object.entries(status.metrics).flatMap(([name, samples]) => (
    samples.map(({ labels, value }) => [
      name, Object.entries(labels).map(([key, text]) => `${key}: ${text}`).join(", "),
      value === null ? "–" : value.toLocaleString("en", { maximumFractionDigits: 6 })])));
  const body = byId("metrics");
  fill(body, rows.length, "tr");
  rows.forEach((row, at) => {
    const line = body.children[at];
    if (line.children.length === 0) {
      make(line, "th").scope = "row";
      make(line, "td");
      make(line, "td", "number");
    }
    row.forEach((text, column) => write(line.children[column], text));
  });
}

function show(status) {
  lastReply = Date.now();
  byId("failure").hidden = true;
  byId("entry").hidden = true;
  byId("content").hidden = false;
  history.add(status);
  showHead(status);
  showAccounts(status);
  CHARTS.forEach((chart, index) => showChart(chart, index, status.time));
  showValues(status);
}

function showFailure(text) {
  const since = lastReply ? `; the values are those of ${new Date(lastReply).toLocaleTimeString()}` : "";
  byId("failure").hidden = false;
  write(byId("failure"), `${text}${since}.`);
  showState("No reply", "bad");
}

function askForToken(text) {
  isRefused = true;
  token = "";
  byId("content").hidden = true;
  byId("entry").hidden = false;
  byId("failure").hidden = text === "";
  write(byId("failure"), text);
  showState("Token needed", "bad");
  byId("token").focus();
}

async function update() {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const began = Date.now();
  let status;
  try {
    const reply = await fetch("status.json", {
      headers, cache: "no-store", credentials: "omit", redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (reply.status === 401 || (reply.status === 403 && token)) {
      askForToken(token ? "The token is wrong." : "");
      return;
    }
    if (!reply.ok) {
      const text = (await reply.text()).trim().slice(0, 200);
      showFailure(`The daemon replied with status ${reply.status}: ${text}`);
    } else {
      status = await reply.json();
    }
  } catch (error) {
    showFailure(error.name === "TimeoutError"
      ? "The daemon does not reply" : `The daemon cannot be reached: ${error.message}`);
  }
  const took = Date.now() - began;
  try {
    if (status !== undefined) {
      show(status);
    }
  } catch (error) {
    console.error(error);
    showFailure(`This page has an error: ${error.message}`);
  }
  // A daemon that is slow to reply is asked less often.
  setTimeout(update, Math.max(INTERVAL, 4 * took));
}

byId("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isRefused) {
    return;
  }
  isRefused = false;
  // Headers have bytes; the endpoint reads them as UTF-8.
  token = String.fromCharCode(...new TextEncoder().encode(byId("token").value.trim()));
  byId("token").value = "";
  update();
});

byId("values").addEventListener("toggle", () => {
  if (!byId("values").open) {
    fill(byId("metrics"), 0, "tr");
  }
});

for (const [title, metric] of COLUMNS) {
  make(byId("columns"), "th", metric ? "number" : "", title).scope = "col";
}

update();
