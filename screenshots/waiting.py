"""Draws the page of `examples/waiting` while Claude is not well: `make screenshots-waiting`.

The page runs in headless Chromium, against the example's real server, which asks the simulated API.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright
from tests.servers import run_server

from claudescope.simulator import InjectedError, Latency, Match, Scenario, Simulator
from claudescope.simulator.scenario import Spread, Tokens, TokenSpread

__all__ = ["STORIES", "Seen", "Story", "browser", "chromium", "visit"]

_EXAMPLE: Final = Path(__file__).parents[1] / "examples/waiting"
_OUT: Final = Path(__file__).parents[1] / "docs/images/waiting"
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE: Final = 120_000  # milliseconds; how long a step takes is no part of what is drawn
_POLICY: Final = """version: 1
error_types:
  rate_limit_error: {retries: 2, jitter: 1ms}
targets:
  primary: {client: anthropic}
  backup: {base_url: "BACKUP", api_key_env: BACKUP_KEY}
defaults:
  route: [primary, backup]
"""


@dataclass(frozen=True, slots=True)
class Story:
    """What the API does, and which state of the page is drawn.

    Attributes:
        primary: Injected errors of the first target; None where nothing listens there.
        backup: The same of the second target.
        state: The state to wait for.
        clicks: What to click then.
        ends: The last state, which is reached after.
        dark: Whether the page is dark.
        language: What the browser asks for.
    """

    primary: tuple[InjectedError, ...] | None
    backup: tuple[InjectedError, ...] | None
    state: str
    ends: str
    clicks: str | None = None
    dark: bool = False
    language: str = "en-US"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page showed.

    Attributes:
        message: The message at the state that was waited for.
        ending: The last message.
        steps: What the page lists of what has happened.
        answer: The text below it.
        errors: What the browser's console has of errors.
    """

    message: str
    ending: str
    steps: tuple[str, ...]
    answer: str
    errors: tuple[str, ...]


def _limited(retry_after: float, attempts: int | None = None) -> InjectedError:
    return InjectedError(type="rate_limit_error", retry_after=retry_after, match=Match(attempts=attempts))


_CUT: Final = InjectedError(type="stream_cut", after_events=6)
STORIES: Final[Mapping[str, Story]] = {
    "rate-limit-storm": Story((_limited(3, 2),), (), "retrying", "done"),
    "rate-limit-storm-dark": Story((_limited(3, 2),), (), "retrying", "done", dark=True, language="de"),
    "rate-limit-storm-goes-on": Story((_limited(120),), (_limited(120),), "failed", "failed"),
    "cut-stream": Story((_CUT,), (_CUT,), "failed", "failed"),
    "dead-region": Story(None, (), "done", "done"),
    "dead-regions": Story(None, None, "failed", "failed", dark=True),
    "cancelled": Story((_limited(30),), (), "retrying", "cancelled", clicks="#cancel"),
}
"""By the name of the picture."""


def chromium() -> str | None:
    """The path of Chromium; None where it is not installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM)), None)


@contextmanager
def browser(path: str) -> Generator[Browser]:
    """Run Chromium without a window."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield made
        finally:
            made.close()


def _scenario(errors: tuple[InjectedError, ...]) -> Scenario:
    at_once = Spread(median=0.01, sigma=0)
    return Scenario(
        name="waiting",
        description="What the page waits for.",
        latency=Latency(time_to_first_token=at_once, time_per_output_token=Spread(median=0.001, sigma=0)),
        tokens=Tokens(output=TokenSpread(median=60, sigma=0)),
        errors=errors,
    )


@contextmanager
def _api(stack: ExitStack, errors: tuple[InjectedError, ...] | None) -> Generator[str]:
    if errors is None:
        yield "http://127.0.0.1:9"  # the port of `discard`, where nothing listens
    else:
        yield stack.enter_context(Simulator(_scenario(errors))).url


@contextmanager
def _served(story: Story) -> Generator[str]:
    """Serve the example, and give its URL."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        primary = stack.enter_context(_api(stack, story.primary))
        backup = stack.enter_context(_api(stack, story.backup))
        policy = folder / "policy.yaml"
        policy.write_text(_POLICY.replace('BACKUP"', f'{backup}"'), encoding="utf-8")
        own = {
            "ANTHROPIC_BASE_URL": primary,
            "ANTHROPIC_API_KEY": "sk-ant-planted",
            "BACKUP_KEY": "sk-ant-planted-too",
            "CLAUDESCOPE_POLICY": str(policy),
            "NO_PROXY": "127.0.0.1",
        }
        command = [
            "env", *(f"{name}={value}" for name, value in own.items()),
            sys.executable, "-m", "uvicorn", "--port", "0", "--log-level", "warning",
            "--app-dir", str(_EXAMPLE), "app:app",
        ]  # fmt: skip
        yield stack.enter_context(run_server([str(word) for word in command], folder / "log"))


def visit(browser: Browser, story: Story, picture: Path | None = None) -> Seen:
    """Ask a question on the page, and read what it tells.

    Args:
        browser: The browser.
        story: What happens.
        picture: Where to draw the page in the story's state.
    """
    with _served(story) as url:
        context = browser.new_context(
            viewport={"width": 760, "height": 420},
            color_scheme="dark" if story.dark else "light",
            locale=story.language,
        )
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda entry: errors.append(entry.text) if entry.type == "error" else None)
        page.goto(url)
        page.click("#ask")
        _wait_for(page, story.state)
        message = _text(page, "#message")
        if picture is not None:
            page.screenshot(path=picture, full_page=True)
        if story.clicks is not None:
            page.click(story.clicks)
        _wait_for(page, story.ends)
        page.wait_for_selector("#ask:enabled", timeout=_PATIENCE)
        steps = tuple(page.locator("#steps li").all_inner_texts())
        seen = Seen(message, _text(page, "#message"), steps, _text(page, "#answer"), tuple(errors))
        context.close()
    return seen


def _wait_for(page: Page, state: str) -> None:
    page.wait_for_selector(f"#now[data-state={state}]", timeout=_PATIENCE)


def _text(page: Page, selector: str) -> str:
    return page.inner_text(selector)


def main() -> None:
    """Draw the stories that are named on the command line, or all."""
    path = chromium()
    if path is None:
        sys.exit("screenshots: Chromium is not installed: run apt-get install chromium, or set CHROMIUM to its path")
    _OUT.mkdir(parents=True, exist_ok=True)
    with browser(path) as made:
        for name, story in STORIES.items():
            if not sys.argv[1:] or name in sys.argv[1:]:
                seen: Any = visit(made, story, _OUT / f"{name}.png")
                print(name, seen)  # noqa: T201 - what is drawn


if __name__ == "__main__":
    main()
