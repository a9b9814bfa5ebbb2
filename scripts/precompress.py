"""Compresses the page and its files at the best level into ``build/static``, from where the server sends them."""

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
    """Compress the files of the app; existing results are reused, others are deleted."""
    from app import create_app

    sizes = precompress(create_app().state.files.values(), static.STORE)
    plain, gzipped, brotlied = (sum(sizes) for sizes in zip(*sizes, strict=True))
    print(f"The page and its files, {plain:,} bytes: {gzipped:,} by gzip, {brotlied:,} by brotli.")


def precompress(bodies: Iterable[bytes], store: Path) -> list[tuple[int, int, int]]:
    """Update a store for these files; returns the sizes of each: plain, gzip, brotli."""
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
    # atomic, as a server may be starting at the same time
    temporary = path.with_suffix(".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)


if __name__ == "__main__":
    main()
