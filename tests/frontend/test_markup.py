"""What lies in the pages' files: no script, handler or style in the markup, nothing from elsewhere; no script writes markup."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "services" / "frontend"
PAGES = sorted(str(path.relative_to(FRONTEND)) for path in FRONTEND.rglob("*.html"))
SCRIPTS = sorted(str(path.relative_to(FRONTEND)) for path in FRONTEND.rglob("*.js"))
LOADED = {
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("image", "href"),
    ("use", "href"),
    ("source", "src"),
    ("a", "href"),
}
WRITES_MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|parseFromString|createContextualFragment|document\.write|srcdoc|\beval\(|"
    r"\bnew Function|setAttribute\(\s*[\"']on|javascript:|createElement\(\s*[\"'](?:script|iframe|object|embed)"
)


class Unsafe(HTMLParser):
    """Collects what a strict policy would not let run, and what comes from elsewhere."""

    def __init__(self):
        super().__init__()
        self.found, self.loaded, self._open = [], [], None

    def handle_starttag(self, tag, attributes):
        self._open = tag
        for name, value in attributes:
            if (
                name.startswith("on")
                or name in ("style", "srcdoc")
                or (value or "").strip().lower().startswith(("javascript:", "data:"))
            ):
                self.found.append((tag, name, value))
            if (tag, name) in LOADED and tag != "a":
                self.loaded.append(value)
        if tag in ("style", "iframe", "object", "embed", "base") or (tag == "script" and "src" not in dict(attributes)):
            self.found.append((tag, *attributes))

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open == "script" and data.strip():
            self.found.append(("script", data))


def read(text):
    parser = Unsafe()
    parser.feed(text)
    parser.close()
    return parser


@pytest.mark.parametrize(
    "text",
    [
        "<script>x()</script>",
        '<script src="a.js">x()</script>',
        '<p onclick="x()">',
        '<a href=" JavaScript:x()">',
        '<p style="color: red">',
        "<style>p {}</style>",
        '<iframe src="x">',
        '<base href="https://example.org/">',
    ],
)
def test_what_is_looked_for_would_be_found(text):
    assert read(text).found


@pytest.mark.parametrize("name", PAGES)
def test_no_script_handler_or_style_is_in_the_markup_and_nothing_is_loaded_from_elsewhere(name):
    page = read((FRONTEND / name).read_text())
    assert page.found == []
    assert page.loaded
    assert [address for address in page.loaded if re.match(r"(?:[a-z]+:)?//|/", address)] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_writes_markup_or_code(name):
    assert WRITES_MARKUP.findall((FRONTEND / name).read_text()) == []


def test_there_are_pages_and_scripts_to_look_at():
    assert len(PAGES) >= 10
    assert len(SCRIPTS) >= 40
