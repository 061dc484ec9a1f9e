"""Check a page in a real browser: Chromium without a window, driven through its debugging pipe.

    python scripts/check_page.py experiments/quickstart/report/index.html
    python scripts/check_page.py results/comparison/index.html --screenshots shots

At 1280 and at 400 pixels, light and dark: no message on the console, nothing loaded from anywhere,
nothing wider than the window, text that stands out from its background (4.5 to 1), pictures that
are there and have a text instead. With the Tab key alone: the skip link comes first, everything
that can be used is reached and shows that it has the focus. Below 5 MB. The exit status is 1 if
something is not so; Chromium (or Chrome) has to be installed.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS, SCHEMES, MOST_BYTES = (1280, 400), ("light", "dark"), 5_000_000

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--remote-debugging-pipe",
)

SEEN = """(() => {
  const luminance = c => {
    const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const [r, g, b] = c.map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const colour = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const background = node => {
    for (; node; node = node.parentElement) {
      const c = colour(getComputedStyle(node).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility() || getComputedStyle(node).filter !== 'none') continue;
    const a = luminance(colour(getComputedStyle(node).color)), b = luminance(background(node));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const text = node.textContent.trim().slice(0, 30);
    if (ratio < 4.5) faint.push(`${node.tagName} "${text}" ${ratio.toFixed(2)}`);
  }
  const images = [...document.images];
  return {
    wide: document.documentElement.scrollWidth - innerWidth,
    faint: [...new Set(faint)],
    broken: images.filter(i => i.complete && !i.naturalWidth).length,
    silent: images.filter(i => !i.alt).length,
    usable: [...document.querySelectorAll('a[href], summary, [tabindex="0"]')]
      .filter(node => node.checkVisibility()).length,
  };
})()"""

FOCUS = """(() => {
  const node = document.activeElement;
  window.reached = window.reached || new Set();
  const fresh = node !== document.body && !window.reached.has(node);
  window.reached.add(node);
  const style = getComputedStyle(node);
  return { fresh, count: [...window.reached].filter(n => n !== document.body).length,
    what: node.tagName + ' "' + node.textContent.trim().slice(0, 30) + '"',
    skip: node.className === 'skip', shown: style.outlineStyle !== 'none' };
})()"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path, help="an HTML file")
    parser.add_argument("--screenshots", type=Path, help="folder for pictures of the whole page")
    arguments = parser.parse_args(argv)
    return run_command(lambda: check(arguments.page, arguments.screenshots))


def check(page: Path, screenshots: Path | None = None) -> int:
    """Print what is wrong with a page; the exit status."""
    from realsr_mtl.errors import UserError

    if not page.is_file():
        raise UserError(f"there is no page '{page}'")
    found = []
    if (size := page.stat().st_size) > MOST_BYTES:
        found.append(f"{size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}")
    with browser() as tab:
        for scheme in SCHEMES:
            for width in WIDTHS:
                found += [f"{width} px, {scheme}: {p}" for p in look(tab, page, width, scheme)]
                if screenshots is not None:
                    screenshots.mkdir(parents=True, exist_ok=True)
                    tab.screenshot(screenshots / f"{page.stem}_{width}_{scheme}.png")
        found += [f"keyboard: {problem}" for problem in tabbed(tab)]
    for problem in found:
        print(problem)
    print(f"{page}: {size / 1e6:.2f} MB, " + (f"{len(found)} problems" if found else "all is well"))
    return 1 if found else 0


def look(tab: Tab, page: Path, width: int, scheme: str) -> Iterator[str]:
    """Open the page in a window of a width and a colour scheme; what is wrong with it."""
    tab.open(page.resolve().as_uri(), width, scheme)
    yield from tab.complaints()
    seen = tab.evaluate(SEEN)
    if seen["wide"] > 0:
        yield f"{seen['wide']} pixels wider than the window"
    for text in seen["faint"][:5]:
        yield f"too faint: {text}"
    for key, what in (("broken", "pictures do not show"), ("silent", "pictures have no text")):
        if seen[key]:
            yield f"{seen[key]} {what}"


def tabbed(tab: Tab) -> Iterator[str]:
    """Press Tab until nothing new gets the focus; what is wrong with that."""
    usable = tab.evaluate(SEEN)["usable"]
    for number in range(usable + 20):
        tab.press_tab()
        focus = tab.evaluate(FOCUS)
        if not focus["fresh"]:
            break
        if number == 0 and not focus["skip"]:
            yield "the first Tab does not reach a link that skips to the content"
        if not focus["shown"]:
            yield f"the focus on {focus['what']} does not show"
    if focus["count"] < usable:
        yield f"Tab reaches {focus['count']} of {usable} things that can be used"


class Tab:
    """One page of a browser, through the DevTools protocol.

    Args:
        reader, writer: file descriptors of the debugging pipe.
    """

    def __init__(self, reader: int, writer: int) -> None:
        self._reader, self._writer = reader, writer
        self._number, self._rest = 0, b""
        self._events: list[dict[str, Any]] = []
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, address: str, width: int, scheme: str) -> None:
        """Load a page anew and wait for it."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self._events.clear()
        self.call("Page.navigate", url=address)
        self._wait(lambda message: message.get("method") == "Page.loadEventFired")

    def complaints(self) -> list[str]:
        """Messages of the console and everything that was loaded since `open`."""
        found = []
        for event in self._events:
            method, content = event["method"], event["params"]
            if method == "Log.entryAdded" and content["entry"]["level"] != "info":
                found.append(f"console: {content['entry']['text']}")
            elif method == "Runtime.consoleAPICalled":
                found.append(f"console: {content['type']}")
            elif method == "Runtime.exceptionThrown":
                found.append(f"script: {content['exceptionDetails']['text']}")
            elif method == "Network.requestWillBeSent":
                address = content["request"]["url"]
                if not address.startswith(("file:", "data:")):
                    found.append(f"loads {address}")
        return found

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"][
            "value"
        ]

    def press_tab(self) -> None:
        """Press and release the Tab key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
            )

    def screenshot(self, file: Path) -> None:
        """The whole page as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        answer = self._wait(lambda found: found.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def _wait(self, wanted: Any, seconds: float = 60) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            while b"\0" in self._rest:
                code, _, self._rest = self._rest.partition(b"\0")
                message = json.loads(code)
                if "method" in message:
                    self._events.append(message)
                if wanted(message):
                    return dict(message)
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._reader], [], [], left)[0]:
                raise RuntimeError(f"the browser did not answer within {seconds:.0f} s")
            chunk = os.read(self._reader, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser ended")
            self._rest += chunk


@contextmanager
def browser() -> Iterator[Tab]:
    """A browser of our own, with an empty profile."""
    from realsr_mtl.errors import UserError

    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        raise UserError(f"no browser found ({', '.join(BROWSERS)}); install Chromium")
    commands, answers = os.pipe(), os.pipe()
    high = [os.dup(fd) for fd in (commands[0], answers[1])]  # out of the way of 3 and 4

    def connect() -> None:
        spare = [os.dup(fd) for fd in (*high, *high, *high)]
        os.dup2(spare[-2], 3)
        os.dup2(spare[-1], 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=connect,
            close_fds=False,
        )
        try:
            for fd in (commands[0], answers[1], *high):
                os.close(fd)
            yield Tab(answers[0], commands[1])
        finally:
            process.terminate()
            process.wait()
            os.close(answers[0])
            os.close(commands[1])


if __name__ == "__main__":
    sys.exit(main())
