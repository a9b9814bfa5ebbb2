"""QR codes as SVG, to be put into the page."""

from __future__ import annotations

import io

import segno

MOST = 2000  # characters: more than a code can hold at this level of correction


def qr_svg(text: str) -> bytes:
    """The QR code of a text as an ``<svg>`` that takes the size of its place, dark on light with its quiet zone.

    Raises:
        ValueError: the text is too long; the message is a sentence.
    """
    if len(text) > MOST:
        raise ValueError(f"A QR code holds at most {MOST:,} characters of an address.")
    try:
        code = segno.make(text, error="m", micro=False)
    except segno.DataOverflowError:
        raise ValueError("This address is too long for a QR code.") from None
    out = io.BytesIO()
    code.save(out, kind="svg", dark="#000", light="#fff", border=4, xmldecl=False, svgns=True, omitsize=True, nl=False)
    return out.getvalue()
