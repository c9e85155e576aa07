"""Generate the learning path's pages, services/frontend/learn/*.html, from docs/learn/*.md: `make pages`.

The chapters are GitHub's Markdown. Three constructs have a meaning here:

    ```python packages/digitnet/layers.py    a quotation of that file; tests/learn compares the two
    ```python                                an example; tests/learn compares its output with the ```text block after it
    [...](http://localhost:3000/learn/…)     alone in a paragraph: an interactive figure, from learn/js/<name>-picture.js

Equations become MathML, which browsers render, so only the interactive figures need a script.
"""

import html
import re
import sys
from pathlib import Path

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

PROJECT = Path(__file__).parents[1]
SOURCES, PAGES = PROJECT / "docs" / "learn", PROJECT / "services" / "frontend" / "learn"
HERE = "http://localhost:3000/learn/"
IMAGE = re.compile(rf'<p><a href="{re.escape(HERE)}[^"]*">.*?</a></p>', re.DOTALL)
FRAME = '<figure id="picture" class="picture"><noscript>The picture needs JavaScript.</noscript></figure>'
CHAPTER = re.compile(r"(\d+)-([\w-]+)")

TEMPLATE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{title} · Doodle</title>
    <link rel="icon" href="../favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="../style.css">
    <link rel="stylesheet" href="learn.css">{script}
  </head>
  <body class="learn">
    <header>
      <a href="../index.html">Doodle</a>
      <a href="index.html">The learning path</a>
    </header>
    <main>
{content}
    </main>
    <footer>
      <nav aria-label="Chapters">{links}</nav>
    </footer>
  </body>
</html>
"""


def pages() -> dict[str, str]:
    """Return the HTML of all pages by file name."""
    chapters = sorted((path for path in SOURCES.glob("*.md") if CHAPTER.match(path.stem)), key=lambda path: _number(path.stem))
    titles = {path.stem: _title(path.read_text(encoding="utf-8")) for path in chapters}
    made = {"index.html": _page((SOURCES / "README.md").read_text(encoding="utf-8"), None, titles)}
    for path in chapters:
        made[f"{path.stem}.html"] = _page(path.read_text(encoding="utf-8"), path.stem, titles)
    return made


def _page(text, stem, titles):
    content = _markdown().render(text)
    # The server has no files outside the pages, so a link to one becomes plain text.
    content = re.sub(r'<a href="(?:\.\./)+[^"]*">(.*?)</a>', r"\1", content, flags=re.DOTALL)
    content = content.replace('href="http://localhost:3000/learn"', 'href="index.html"')
    content = content.replace('href="http://localhost:3000"', 'href="../index.html"')
    content = re.sub(r'href="README\.md"', 'href="index.html"', content)
    content = re.sub(r'href="([\w-]+)\.md(#[\w-]+)?"', r'href="\1.html\2"', content)
    content = content.replace("<table>", '<div class="scrolls" tabindex="0"><table>').replace("</table>", "</table></div>")
    content = content.replace('<div class="math block">', '<div class="math block" tabindex="0">')  # scrolls with the keyboard
    name = CHAPTER.match(stem)[2] if stem else None
    content, images = IMAGE.subn(FRAME, content)
    script = f'\n    <script type="module" src="js/{name}-picture.js"></script>' if images else ""
    return TEMPLATE.format(title=html.escape(_title(text)), content=content, script=script, links=_links(stem, titles))


def _links(stem, titles):
    if stem is None:
        return '<a href="../index.html">Draw a digit</a>'
    stems = list(titles)
    place = stems.index(stem)
    links = []
    if place:
        before = stems[place - 1]
        links.append(f'<a rel="prev" href="{before}.html">← {html.escape(titles[before])}</a>')
    if place + 1 < len(stems):
        after = stems[place + 1]
        links.append(f'<a rel="next" href="{after}.html">{html.escape(titles[after])} →</a>')
    return "".join(links)


def _markdown():
    markdown = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, renderer=_equation)
    markdown.add_render_rule("fence", _fence)
    return markdown


def _fence(_self, tokens, index, _options, _environment):
    language, _, file = tokens[index].info.partition(" ")
    if language != "python":
        return f'<pre class="output" tabindex="0"><code>{html.escape(tokens[index].content)}</code></pre>\n'
    code = f'<pre tabindex="0"><code>{highlight(tokens[index].content, PythonLexer(), HtmlFormatter(nowrap=True))}</code></pre>'
    if not file:
        return code + "\n"
    return f'<figure class="quotation"><figcaption>{html.escape(file)}</figcaption>{code}</figure>\n'


def _equation(content, options):
    return convert(content.strip(), display="block" if options["display_mode"] else "inline")


def _title(text):
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def _number(stem):
    return int(CHAPTER.match(stem)[1])


def main() -> int:
    made = pages()
    for path in PAGES.glob("*.html"):
        if path.name not in made:
            path.unlink()
    for name, content in made.items():
        (PAGES / name).write_text(content, encoding="utf-8")
    print(f"{len(made)} pages in {PAGES.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
