"""The learning path quotes the source as it is, its examples run, and its pages are those of its chapters."""

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
    """(language, file, text) of each block of code."""
    return [match.groups() for match in FENCE.finditer(chapter.read_text(encoding="utf-8"))]


def stands_in(quotation, source):
    """Whether these lines follow one another there, all of them as far to the right as may be."""
    return any(f"\n{textwrap.indent(quotation, indent)}" in f"\n{source}" for indent in ("", " " * 4, " " * 8, " " * 12))


@every_chapter
def test_what_is_quoted_stands_in_the_source(chapter):
    for language, file, text in fences(chapter):
        assert language in ("python", "text")
        if file:
            assert stands_in(text, (PROJECT / file).read_text(encoding="utf-8")), f"{file} does not have\n{text}"


@every_chapter
def test_its_examples_run_and_print_what_it_says(chapter):
    names, printed, said = {"__name__": chapter.stem}, io.StringIO(), ""
    for language, _, text in [fence for fence in fences(chapter) if not fence[1]]:
        if language == "text":
            said += text
        else:
            with contextlib.redirect_stdout(printed):
                exec(compile(text, chapter.name, "exec"), names)
    assert said == printed.getvalue() != ""


def test_what_it_says_of_the_model_in_the_repository_is_in_its_card():
    card = json.loads((PROJECT / "artifacts/model/model.json").read_text())
    if card["recipe"]["recipe"] != "best":
        pytest.skip("artifacts/ holds another model than the repository's")
    said = " ".join(" ".join(chapter.read_text(encoding="utf-8").split()) for chapter in CHAPTERS)
    assert f"{card['network']['parameters']:,} weights and biases" in said
    assert f"so its temperature is {card['temperature']:.2f}" in said
    assert f"weight decay {card['recipe']['optimizer_options']['weight_decay']}, {card['training']['epochs']} epochs" in said


def test_the_pages_are_those_of_the_chapters(load_script):
    learn_pages = load_script("scripts/learn_pages.py")
    pages = learn_pages.pages()
    assert sorted(pages) == sorted(path.name for path in learn_pages.PAGES.glob("*.html"))
    for name, content in pages.items():
        assert (learn_pages.PAGES / name).read_text(encoding="utf-8") == content, f"{name} is stale: make pages"
        assert "$" not in re.sub(r"<pre.*?</pre>", "", content, flags=re.DOTALL), "an equation that was not understood"
