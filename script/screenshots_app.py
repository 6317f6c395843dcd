"""Pictures of pages: light and dark on a desk, and on a phone."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from script.browser import CHROMIUM_FLAGS, find_chromium
from script.embedded import ServerError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

FOLDER = Path(__file__).resolve().parents[1] / "build" / "screenshots"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS = (("light", DESK), ("dark", DESK), ("phone", PHONE))


def shoot(browser: Browser, url: str, paths: list[str], user: str, password: str) -> None:
    """Each path in each look, signed in once for each look."""
    for look, viewport in LOOKS:
        context = browser.new_context(
            base_url=url, viewport=viewport, color_scheme="dark" if look == "dark" else "light", locale="de-DE"
        )
        page = context.new_page()
        if user:
            page.goto("/app/login")
            page.fill("[name=username]", user)
            page.fill("[name=password]", password)
            page.press("[name=password]", "Enter")
            page.wait_for_url(lambda address: "/app/login" not in address)
        for path in paths:
            page.goto(path, wait_until="networkidle")
            name = re.sub(r"\W+", "-", path).strip("-") or "root"
            file = FOLDER / f"{name}-{look}.png"
            page.screenshot(path=file, full_page=True)
            print(file)
        context.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/screenshots")
    parser.add_argument("url")
    parser.add_argument("paths", nargs="*", default=["/app/"])
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
            shoot(browser, options.url, options.paths or ["/app/"], options.user, options.password)
            browser.close()
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
