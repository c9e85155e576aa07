"""Chapters quote the source exactly, their examples run, and their pages are current."""

import contextlib
import io
import json
import re
import textwrap
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CHAPTERS = sorted((PROJECT / "docs" / "learn").glob("[0-9]*.md"))
FENCE = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)


def fences(chapter):
    """Return (language, file, text) of each code block."""
    return [match.groups() for match in FENCE.finditer(chapter.read_text(encoding="utf-8"))]


def is_quoted_from(quotation, source):
    """Return whether the source contains these consecutive lines, at any indentation."""
    return any(f"\n{textwrap.indent(quotation, indent)}" in f"\n{source}" for indent in ("", " " * 4, " " * 8, " " * 12))


@every_chapter
def test_quotes_match_the_source(chapter):
    for language, file, text in fences(chapter):
        assert language in ("python", "text")
        if file:
            assert is_quoted_from(text, (PROJECT / file).read_text(encoding="utf-8")), f"{file} does not have\n{text}"


@every_chapter
def test_examples_print_the_documented_output(chapter):
    names, printed, documented = {"__name__": chapter.stem}, io.StringIO(), ""
    for language, _, text in [fence for fence in fences(chapter) if not fence[1]]:
        if language == "text":
            documented += text
        else:
            with contextlib.redirect_stdout(printed):
                exec(compile(text, chapter.name, "exec"), names)
    assert documented == printed.getvalue() != ""


def test_figures_of_the_served_network_match_its_card(load_script):
    card = json.loads((PROJECT / "artifacts/model/model.json").read_text(encoding="utf-8"))
    if card["recipe"]["recipe"] != "best":
        pytest.skip("artifacts/ holds another model than the repository's")
    learn_pages = load_script("scripts/learn_pages.py")
    assert learn_pages.served_figures()["parameters"] == f"{card['network']['parameters']:,}"
    for source in learn_pages.sources():
        text = source.read_text(encoding="utf-8")
        assert learn_pages.with_served_figures(text) == text, f"{source.name} has a stale figure: make pages"


def test_pages_are_current(load_script):
    learn_pages = load_script("scripts/learn_pages.py")
    pages = learn_pages.pages()
    assert sorted(pages) == sorted(path.name for path in learn_pages.PAGES.glob("*.html"))
    for name, content in pages.items():
        assert (learn_pages.PAGES / name).read_text(encoding="utf-8") == content, f"{name} is stale: make pages"
        assert "$" not in re.sub(r"<pre.*?</pre>", "", content, flags=re.DOTALL), "an equation that was not converted"
