"""Write tlm3d/spec/key_texts.json: default and meaning of every key, for the schemas that editors read.

The source is docs/formats.md, the normative page; run this after changing it. --check writes nothing and says whether
the file is up to date.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "formats.md"
TARGET = ROOT / "tlm3d" / "spec" / "key_texts.json"
_ROW = re.compile(r"\| `(?P<key>[^`]+)` \| [^|]+ \| (?P<default>[^|]+) \| (?P<meaning>[^|]+) \|")


def key_texts(page: str) -> dict[str, dict[str, dict[str, str]]]:
    """By section of the page and key: ``meaning``, and ``default`` as it would be written where there is one."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    section = ""
    for line in page.splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ").replace("`", "")
        elif match := _ROW.fullmatch(line):
            text = {"meaning": _plain(match["meaning"].strip())}
            default = match["default"].strip()
            if default not in ("required", "–"):
                text["default"] = default.strip("`")
            found.setdefault(section, {})[match["key"]] = text
    return found


def _plain(markdown: str) -> str:
    """Text without the marks of links and code."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")


def main(check: bool) -> int:
    text = json.dumps(key_texts(PAGE.read_text(encoding="utf-8")), indent=1, ensure_ascii=False) + "\n"
    if check:
        if TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET.relative_to(ROOT)} is not that of docs/formats.md: run python tools/make_key_texts.py")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
