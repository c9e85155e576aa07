"""Every link of the documents: relative ones lead to a file or a heading, external ones are well-formed. Nothing is fetched."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

PROJECT = Path(__file__).parents[2]
DOCUMENTS = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), *(PROJECT / ".github").rglob("*.md")]
LEARN = "http://localhost:3000/learn/"
BADGE = re.compile(r"\.\./\.\./actions/workflows/([\w.-]+?)(/badge\.svg)?")  # on GitHub, relative to the repository's page


def tokens(document):
    return MarkdownIt("commonmark").enable("table").parse(document.read_text(encoding="utf-8"))


@cache
def anchors(document):
    """The ids that GitHub gives to the headings."""
    found, parsed = [], tokens(document)
    for heading, inline in pairwise(parsed):
        if heading.type == "heading_open":
            text = "".join(child.content for child in inline.children)
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return found


def links(document):
    for token in tokens(document):
        for child in token.children or ():
            if link := child.attrs.get("href") or child.attrs.get("src"):
                yield link


def problem(document, link):
    """Why the link leads nowhere, or None."""
    if badge := BADGE.fullmatch(link):
        return None if (PROJECT / ".github" / "workflows" / badge[1]).exists() else "no such workflow"
    parts = urlsplit(link)
    if link.startswith(LEARN):
        page = PROJECT / "services/frontend/learn" / (parts.path.removeprefix("/learn/") or "index.html")
        return None if page.exists() else "no such page of the learning path"
    if parts.scheme:
        return None if parts.scheme in ("http", "https") and re.fullmatch(r"[\w.-]+(:\d+)?", parts.netloc) else "not an address"
    target = (document.parent / unquote(parts.path)).resolve() if parts.path else document
    if not target.exists() or not target.is_relative_to(PROJECT):
        return "no such file"
    if parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
        return "no such heading"
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(PROJECT)))
def test_links_resolve(document):
    assert {link: found for link in links(document) if (found := problem(document, link))} == {}
