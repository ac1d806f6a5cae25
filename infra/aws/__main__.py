"""`cdk deploy` calls this: see cdk.json."""

from __future__ import annotations

from .stack import application

if __name__ == "__main__":
    application().synth()
