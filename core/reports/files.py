"""A report's other forms: the page as PDF, and the rows of its panels as CSV in a ZIP."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

from .figures import words
from .gather import Gathered

_DATE = (2000, 1, 1, 0, 0, 0)  # of the files in a ZIP: the same figures make the same bytes
NO_PANGO = "no PDF is made: WeasyPrint needs Pango (Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0)"


class NoPdfError(Exception):
    """This machine lacks what makes PDFs; the message says what to install."""


def pdf_of(html: str) -> bytes:
    """The page as PDF. Blocking, up to some seconds: call it in a worker thread.

    :raises NoPdfError: Pango is not installed
    """
    try:
        import weasyprint  # loads Pango, which a server without reports does not need
    except OSError as why:
        raise NoPdfError(NO_PANGO) from why
    # The page holds all it shows: whatever it would fetch came in from outside, and is left out.
    nothing = weasyprint.URLFetcher(allowed_protocols=())
    written: bytes = weasyprint.HTML(string=html, url_fetcher=nothing).write_pdf()
    return written


def data_of(gathered: Gathered) -> bytes:
    """A ZIP of `PANEL.csv` for each panel that has rows. Texts that a spreadsheet would compute have a `'` before."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for shown in gathered.panels:
            if shown.now.columns:
                text = io.StringIO(newline="")
                writer = csv.writer(text)
                writer.writerow(map(inert, shown.now.columns))
                writer.writerows([_cell(value, inert) for value in row] for row in shown.now.rows)
                archive.writestr(zipfile.ZipInfo(f"{shown.panel.id}.csv", _DATE), text.getvalue())
    return out.getvalue()


def _cell(value: Any, text: Callable[[str], str]) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    return text(words(value))


def inert(text: str) -> str:
    """Text that a spreadsheet takes for text: a log line that begins with `=` is no formula.

    >>> inert("=1+1"), inert("plain"), inert("-x")
    ("'=1+1", 'plain', "'-x")
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
