"""Compress the page and its files as small as they get, once, for the server to send as they lie in ``build/static``."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import brotli

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from explorer.server import static_files as static


def main() -> None:
    """Ask the app for all that it serves alike to everyone, and keep exactly that; what lies there already stays."""
    from app import create_app

    kept = precompress(create_app().state.files.values(), static.STORE)
    plain, gzipped, brotlied = (sum(sizes) for sizes in zip(*kept, strict=True))
    print(f"The page and its files, {plain:,} bytes, lie ready: {gzipped:,} by gzip, {brotlied:,} by brotli.")


def precompress(bodies: Iterable[bytes], store: Path) -> list[tuple[int, int, int]]:
    """Bring a store up to date with these bodies; returns for each its sizes: as it is, by gzip, by brotli."""
    store.mkdir(parents=True, exist_ok=True)
    sizes: list[tuple[int, int, int]] = []
    kept: set[Path] = set()
    for content in bodies:
        gzipped, brotlied = (store / f"{static.digest_of(content)}{static.SUFFIXES[name]}" for name in ("gzip", "br"))
        if not gzipped.is_file():
            _write(gzipped, gzip.compress(content, 9, mtime=0))
        if not brotlied.is_file():
            _write(brotlied, brotli.compress(content))
        kept |= {gzipped, brotlied}
        sizes.append((len(content), gzipped.stat().st_size, brotlied.stat().st_size))
    for path in set(store.iterdir()) - kept:
        path.unlink()
    return sizes


def _write(path: Path, content: bytes) -> None:
    # whole or not at all: a server may be starting meanwhile
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


if __name__ == "__main__":
    main()
