"""The learning path: what it quotes stands in the source, what it shows runs, and its pages are those of its chapters."""

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
SECTIONS = ["The idea", "The equation", "In digitnet", "Play", "Exercises"]

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)


@pytest.fixture(scope="module")
def learn_pages(load_script):
    return load_script("scripts/learn_pages.py")


def fences(chapter):
    """(language, file, text) of each block of code."""
    return [match.groups() for match in FENCE.finditer(chapter.read_text(encoding="utf-8"))]


def stands_in(quotation, source):
    """Whether these lines follow one another there, all of them as far to the right as may be."""
    return any(f"\n{textwrap.indent(quotation, indent)}" in f"\n{source}" for indent in ("", " " * 4, " " * 8, " " * 12))


def test_the_path_has_eight_chapters_and_its_index_lists_them():
    listed = re.findall(r"^\d\. \[(.+)\]\((.+)\)", (PROJECT / "docs/learn/README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [file for _, file in listed] == [chapter.name for chapter in CHAPTERS]
    assert len(CHAPTERS) == 8
    for (title, _), chapter in zip(listed, CHAPTERS):
        number = chapter.stem.partition("-")[0]
        assert chapter.read_text(encoding="utf-8").startswith(f"# {number}. {title}\n")


@every_chapter
def test_a_chapter_has_the_idea_the_equation_the_code_a_picture_and_two_exercises(chapter, learn_pages):
    text = chapter.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert "$$" in text
    exercises = text.partition("## Exercises")[2]
    assert re.findall(r"^\*\*(\d)\.\*\*", exercises, re.MULTILINE) == ["1", "2"]
    assert exercises.count("<summary>Answer</summary>") == 2
    assert any(file for _, file, _ in fences(chapter))
    page = learn_pages.pages()[f"{chapter.stem}.html"]
    assert page.count('id="picture"') == 1
    scripts = re.findall(r'src="(js/[\w-]+\.js)"', page)
    assert len(scripts) == 1
    assert (PROJECT / "services/frontend/learn" / scripts[0]).is_file()


@every_chapter
def test_what_is_quoted_stands_in_the_source(chapter):
    for language, file, text in fences(chapter):
        assert language in ("python", "text")
        if file:
            assert stands_in(text, (PROJECT / file).read_text(encoding="utf-8")), f"{file} does not have\n{text}"


def test_a_quotation_that_is_not_there_is_found_out():
    source = "def f(x):\n    y = x + 1\n    return y\n"
    assert stands_in("y = x + 1\nreturn y\n", source)
    assert not stands_in("y = x + 2\nreturn y\n", source)
    assert not stands_in("= x + 1\n", source)
    assert not stands_in("def f(x):\n    return y\n", source)


@every_chapter
def test_its_examples_run_and_print_what_it_says(chapter):
    blocks = [(language, text) for language, file, text in fences(chapter) if not file]
    assert blocks[0][0] == "python"
    names, printed = {"__name__": chapter.stem}, ""
    for language, text in blocks:
        if language == "python":
            assert printed == "", f"the chapter does not say that this is printed:\n{printed}"
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(text, chapter.name, "exec"), names)
            printed = output.getvalue()
        else:
            assert text == printed
            printed = ""
    assert printed == ""


def test_what_it_says_of_the_model_in_the_repository_is_in_its_card():
    card = json.loads((PROJECT / "artifacts/model/model.json").read_text())
    if card["recipe"]["recipe"] != "best":
        pytest.skip("artifacts/ holds another model than the repository's")
    said = " ".join(" ".join(chapter.read_text(encoding="utf-8").split()) for chapter in CHAPTERS)
    assert f"{card['network']['parameters']:,} weights and biases" in said
    assert f"so its temperature is {card['temperature']:.2f}" in said
    assert f"weight decay {card['recipe']['optimizer_options']['weight_decay']}, {card['training']['epochs']} epochs" in said


def test_the_pages_are_those_of_the_chapters(learn_pages):
    pages = learn_pages.pages()
    assert sorted(pages) == sorted(path.name for path in learn_pages.PAGES.glob("*.html"))
    for name, content in pages.items():
        assert (learn_pages.PAGES / name).read_text(encoding="utf-8") == content, f"{name} is stale: make pages"


@pytest.mark.parametrize("chapter", [*CHAPTERS, PROJECT / "docs/learn/README.md"], ids=lambda chapter: chapter.stem)
def test_its_links_lead_somewhere(chapter):
    for link in re.findall(r"\]\(([^)#\s]+)", chapter.read_text(encoding="utf-8")):
        if link.startswith("http://localhost:3000/learn/"):
            assert link.removeprefix("http://localhost:3000/learn/") == f"{chapter.stem}.html"
        elif not link.startswith(("http://localhost:3000", "https://")):
            assert (chapter.parent / link).exists(), link


def test_pages_load_nothing_from_elsewhere_and_have_nothing_inline(learn_pages):
    for name, page in learn_pages.pages().items():
        assert not re.search(r'(?:src|href)="/|<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=', page), name
        assert not re.search(r'(?:src|<link[^>]*href)="https?:', page), name
        assert "$" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL), f"{name}: an equation that was not understood"
        for file in re.findall(r'(?:src|href)="([^":#]+)', page):
            assert (learn_pages.PAGES / file).exists(), f"{name}: {file}"
