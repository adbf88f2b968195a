"""Debian's Chromium, headless and off the network, in a thread of its own: Playwright leaves a loop running there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE = 90.0
"""Seconds that a page may take on a busy machine; nothing is measured by it."""


def find_chromium() -> str | None:
    """The program, or None."""
    return shutil.which("chromium")


class Browser:
    """One browser for many pages; `visit` runs a function with a fresh page in the browser's thread."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="browser")

    def __enter__(self) -> Self:
        self._thread.submit(self._start).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._stop).result()
        self._thread.shutdown()

    def visit(self, url: str, act: Callable[[Page], T], **context: Any) -> T:
        """Open a URL in a context without history, act on the page, and close it."""
        return self._thread.submit(self._visit, url, act, context).result()

    def _start(self) -> None:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only the tests that use it need it)

        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=self._executable, headless=True, args=list(ARGUMENTS)
        )

    def _stop(self) -> None:
        self._browser.close()
        self._playwright.stop()

    def _visit(self, url: str, act: Callable[[Page], T], context: dict[str, Any]) -> T:
        options: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, **context}
        with self._browser.new_context(**options) as opened:
            raw = opened.new_page()
            raw.set_default_timeout(PATIENCE * 1000)
            page = Page(raw)
            raw.goto(url)
            return act(page)


class Page:
    """A player page: Playwright's, with what the tests ask of a player."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        raw.on("pageerror", lambda error: self.complaints.append(str(error)))
        raw.on("console", lambda message: self.complaints.append(message.text) if "Policy" in message.text else None)
        raw.on(
            "request", lambda request: self.foreign.append(request.url) if "//127.0.0.1:" not in request.url else None
        )

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "blob:", "data:")):
            self.foreign.append(url)

    def state(self) -> dict[str, Any]:
        """The machine-readable state of the page."""
        found: dict[str, Any] = self.raw.evaluate("window.drmkit ? window.drmkit.state : {phase: 'starting'}")
        return found

    def until(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a state; playing on, failing where the page fails first."""
        end = time.monotonic() + PATIENCE
        while not reached(state := self.state()):
            assert time.monotonic() < end, f"not reached: {state}"
            assert state["phase"] != "failed", f"failed: {state['error']}"
            self.raw.wait_for_timeout(50)
        return state

    def until_failed(self) -> dict[str, Any]:
        """Wait for the page to fail, and return what it tells a person."""
        self.raw.wait_for_selector("html[data-phase=failed]", state="attached")
        state = self.state()
        told: dict[str, Any] = state["error"]
        shown = self.raw.inner_text("#banner")
        assert told["title"] in shown
        assert told["text"] in shown
        assert self.raw.get_attribute("#banner", "role") == "alert"
        return {**state, **told, "shown": shown, "table": self.raw.inner_text("#keys")}

    def until_moving(self) -> dict[str, Any]:
        """Wait until the picture has advanced and sound was decoded."""
        return self.until(
            lambda state: (
                state["phase"] in {"playing", "ended"}
                and state["position"] > 0.5
                and state["decodedFrames"] > 10
                and state["audioBytes"] > 0
            )
        )

    def picture(self, seconds: float) -> bytes:
        """Pause at a time and take a screenshot of the frame there; a canvas would see black."""
        self.raw.evaluate(
            """async (time) => {
              const video = document.querySelector("video");
              video.controls = false;
              // The edge of a rounded corner is not drawn to the same value each time.
              document.querySelector(".stage").style.borderRadius = "0";
              video.pause();
              // The frame is on the screen only when it was handed to the compositor, which is later than "seeked".
              const shown = new Promise((resolve) => {
                const look = (_, frame) => {
                  if (Math.abs(frame.mediaTime - time) < 0.05) {
                    resolve();
                  } else {
                    video.requestVideoFrameCallback(look);
                  }
                };
                video.requestVideoFrameCallback(look);
              });
              video.currentTime = time;
              await shown;
              for (let frames = 0; frames < 3; frames += 1) {
                await new Promise((resolve) => requestAnimationFrame(resolve));
              }
            }""",
            seconds,
        )
        taken: bytes = self.raw.locator("video").screenshot()
        return taken


def shot(page: Page, path: Path) -> None:
    """Keep a picture of the whole page, for people."""
    page.raw.screenshot(path=str(path), full_page=True)
