"""`python -m cordwood.web.openapi > web/ui/openapi.json` writes the OpenAPI document, without a database."""

from __future__ import annotations

import sys

from .app import create_api
from .schema import document

if __name__ == "__main__":
    sys.stdout.buffer.write(document(create_api(None)))
