"""The image of nodes and functions: one, with the pipeline file in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as assets

from .options import Options

ROOT = Path(__file__).resolve().parents[2]


def image(options: Options) -> dict[str, Any]:
    """Arguments of whatever is made from the image; the same ones are the same image."""
    return {
        "directory": str(ROOT),
        "file": "infra/docker/Dockerfile",
        "target": "aws",
        "build_args": {"PIPELINE": options.pipeline},
        "platform": assets.Platform.LINUX_AMD64,
        "ignore_mode": IgnoreMode.DOCKER,
        "exclude": [
            line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
        ],
    }
