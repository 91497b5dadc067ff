"""
A site of an attacker, and what its page has a browser send to a server.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

HOST = "evil.test"
"""The name of another site on this machine (see the fixture C{browser})."""

NOTHING_READ = {
    "image": "error",
    "script": "error",
    "fetch": "TypeError",
    "fetchWithHeader": "TypeError",
    "opaqueFetch": "opaque ",
    "frame": "nothing",
    "formInFrame": "nothing",
    "link": "SecurityError",
    "form": "SecurityError",
}
"""The result of L{ATTACK} when no reply could be read."""

ATTACK = """
async ({ url, fields, callbacks }) => {
  // Each link is another one, so that no request waits for the cache of another.
  const linkOf = (way) => `${url}?${new URLSearchParams({ ...fields, way })}`;
  const read = {};
  const called = [];
  for (const name of callbacks) {
    window[name] = (...values) => called.push(...values);
  }
  const post = {
    method: "POST", body: new URLSearchParams(fields), credentials: "include",
  };
  const fetched = async (name, options) => {
    try {
      const response = await fetch(url, options);
      read[name] = `${response.type} ${await response.text()}`;
    } catch (error) {
      read[name] = error.name;
    }
  };
  const loaded = (name, tag) =>
    new Promise((resolve) => {
      const element = document.createElement(tag);
      element.onload = element.onerror = ({ type }) => {
        read[name] = type;
        resolve();
      };
      element.src = linkOf(name);
      document.body.append(element);
    });
  const framed = (name, begin) =>
    new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.name = name;
      document.body.append(frame);
      frame.onload = () => {
        let text = "nothing";
        try {
          text = frame.contentDocument.body.textContent;
        } catch { /* It is of another origin. */ }
        read[name] = text;
        resolve();
      };
      begin(frame);
    });
  const submit = (target) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: url, target });
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  };
  const opened = async (name, begin) => {
    const popup = open("", name);
    begin(name);
    for (let rest = 500; rest > 0; rest -= 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      try {
        read[name] = popup.document.body.textContent;
      } catch (error) {
        read[name] = error.name;
        break;
      }
    }
  };
  await Promise.all([
    loaded("image", "img"),
    loaded("script", "script"),
    fetched("fetch", post),
    fetched("opaqueFetch", { ...post, mode: "no-cors" }),
    fetched("fetchWithHeader", { ...post, headers: { "X-WebQQ-Page": "uin=o10001" } }),
    framed("frame", (frame) => { frame.src = linkOf(frame.name); }),
    framed("formInFrame", (frame) => submit(frame.name)),
  ]);
  // In the background, behind these windows, a frame may never load.
  await opened("link", (name) => open(linkOf(name), name));
  await opened("form", submit);
  return { read, called };
}
"""
"""
Has a browser send a request in all the ways that a page of another origin has. Takes
the URL, the fields, and names of functions that a reply used as a script may call;
returns by way what the page could read, and the arguments of these calls.
"""


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """
        Answer with an empty document, whose scripts a test adds.
        """
        body = b"<!DOCTYPE html><title>Another site</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """
        Log nothing.
        """


class OtherSite:
    """
    A web server with empty pages. As a context manager it runs until the end of the
    block.
    """

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage)
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()
