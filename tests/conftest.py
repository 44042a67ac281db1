"""Hypothesis tries new examples every time; in CI always the same, so that what lands does not break by luck."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
