"""``make screenshots``: the README's pictures, taken of the real page in headless Chromium."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from bench.serving import running  # noqa: E402
from tests.browser.chromium import EXPOSE, LAUNCH_ARGUMENTS, find_chromium, until  # noqa: E402

PICTURES = ROOT / "docs"
SHOTS = {
    "explorer.png": ("?v=2&tab=integrated", 1440, 900, "light", 10),
    "lab.png": ("?v=2&net=digits-cnn&tab=labs&lab=sanity", 1440, 1150, "light", None),
    "methods.png": ("?v=2&net=digits-cnn&p=ring&class=predicted&tab=methods", 1440, 900, "light", None),
    "phone.png": ("?v=2&p=x&class=predicted#stage", 390, 844, "light", None),
}


def shoot(page: Page, address: str, step: int | None, picture: Path) -> None:
    """One picture, once the numbers are there; part of the way along the path if a step is given."""
    page.goto(address)
    until(page, "window.explorer?.view?.answer")
    if "tab=methods" in address:
        until(page, "Object.keys(explorer.view.config.first).every((name) => explorer.resultOf(name)?.map)")
    if "lab=" in address:
        page.locator(".lab-choice").nth(1).click()
        until(page, "document.querySelector('.lab-happened')?.textContent && document.querySelector('.main-svg')")
    if step is not None:
        page.evaluate("(step) => explorer.goToStep(step)", step)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.screenshot(path=picture)
    print(picture.relative_to(ROOT))


def main() -> None:
    """Take them all, or say what is missing."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("screenshots need Chromium or Chrome, and none was found")
    PICTURES.mkdir(exist_ok=True)
    with running("app.py") as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGUMENTS)
        for name, (link, width, height, theme, step) in SHOTS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
            page.add_init_script(EXPOSE)
            shoot(page, f"http://127.0.0.1:{port}/{link}", step, PICTURES / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
