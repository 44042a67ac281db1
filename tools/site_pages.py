"""What the documentation site needs beyond docs/: the pages at the top of the repository, and links that lead to them.

A hook of MkDocs, named in mkdocs.yml. On GitHub the pages link to each other as files; here the same links are led to
the pages of the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# File of the repository, seen from its top: name in the site.
BROUGHT_IN = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "licence.md",
    "tlm3d/reporters/result.schema.json": "result.schema.json",
    "tlm3d/reporters/bounds.schema.json": "bounds.schema.json",
} | {
    path.relative_to(ROOT).as_posix(): path.relative_to(ROOT).with_suffix(".md").as_posix()
    for folder in ("platforms", "platforms/silicon", "platforms/textbook", "workloads", "workloads/textbook")
    for path in sorted((ROOT / folder).glob("*.yaml"))
}
FETCHED = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^>]*>""")
LINK = re.compile(r"(?<=\]\()(?P<file>[^)#\s]+)(?P<anchor>#[^)\s]+)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the brought-in files to the site's."""
    for source, name in BROUGHT_IN.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        if name.endswith(".md") and not source.endswith(".md"):
            language = Path(source).suffix.removeprefix(".") or "text"
            text = f"# {source}\n\n```{language}\n{text}```\n"
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links between files of the repository to the pages of the site."""
    brought = {name: ROOT / source for source, name in BROUGHT_IN.items()}
    here = brought.get(page.file.src_uri, ROOT / "docs" / page.file.src_uri).parent

    def led(match: re.Match[str]) -> str:
        if "://" in match["file"]:
            return match[0]
        target = (here / match["file"]).resolve().relative_to(ROOT).as_posix()
        target = BROUGHT_IN.get(target, target.removeprefix("docs/"))
        return target + (match["anchor"] or "")

    return LINK.sub(led, markdown)


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Put a page's parts below its title in the table of contents, which shows what is below the first title only."""
    if page.toc.items:
        title, *parts = page.toc.items
        title.children += parts
        page.toc.items = [title]
    return html


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Refuse a page whose reader's browser would fetch something from elsewhere."""
    fetched = FETCHED.search(output)
    if fetched:
        raise PluginError(f"{page.file.src_uri}: fetches from elsewhere: {fetched[0]}")
    return output
