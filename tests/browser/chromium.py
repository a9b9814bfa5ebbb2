"""Which browser to drive, and how to start it: for the tests, the bench and the screenshots alike."""

from __future__ import annotations

import json
import os
import shutil

from playwright.sync_api import Page

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")  # the first takes a tenth less time

# Quiet and offline: no updates, no field trials, no look-ups of its own.
LAUNCH_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),  # root has no sandbox to use
]


# Gathers what the page's modules export as ``window.explorer``, for scripts that drive the page. The page has no such
# global: this is the module that it imports itself, as an address is one module.
EXPOSE_NOW = """
const link = document.querySelector("link[rel=modulepreload]");
const { modules } = link ? await import(link.href).catch(() => ({ modules: {} })) : { modules: {} };
window.explorer = Object.assign({}, ...Object.values(modules));
"""
EXPOSE = f'document.addEventListener("DOMContentLoaded", async () => {{ {EXPOSE_NOW} }});'  # runs in a frame before its scripts


def find_chromium() -> str | None:
    """The browser's path: ``CHROMIUM`` from the environment, else the first name found on PATH."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def until(page: Page, condition: str, timeout: float = 15_000) -> None:
    """Wait, frame by frame, until a JavaScript condition holds in the page.

    Playwright's own ``wait_for_function`` evaluates a string inside the page, which the page's policy rightly refuses.
    """
    page.evaluate(
        f"""() => new Promise((resolve, reject) => {{
            const end = performance.now() + {timeout};
            const look = () => {{
                if ({condition}) resolve();
                else if (performance.now() > end) reject(new Error({json.dumps("waited in vain for " + condition)}));
                else setTimeout(look, 10);
            }};
            look();
        }})"""
    )
