"""Generate the learning path's pages, services/frontend/learn/*.html, from docs/learn/*.md: `make pages`.

The chapters are GitHub's Markdown. Four constructs have a meaning here:

    ```python packages/digitnet/layers.py    a quotation of that file; tests/learn compares the two
    ```python                                an example; tests/learn compares its output with the ```text block after it
    [...](http://localhost:3000/learn/…)     alone in a paragraph: an interactive figure, from learn/js/<name>-picture.js
    <!--=epochs-->50<!--/-->                 a figure of the served network; this program writes it from the model card

Equations become MathML, which browsers render, so only the interactive figures need a script. Browsers do not wrap MathML, so
an equation is several pieces, and a line may break between two.
"""

import csv
import html
import json
import math
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
SERVED = re.compile(r"<!--=(\w+)-->(.*?)<!--/-->", re.DOTALL)
WORDS_A_MINUTE, MINUTES_OF_PLAY = 180, 3
OPERATORS = ("=", "+", "-", "<", r"\leftarrow", r"\approx", r"\cdot")

TEMPLATE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{title} · Doodle</title>
    <link rel="icon" href="../favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="../style.css">
    <link rel="stylesheet" href="learn.css">
    <link rel="stylesheet" href="picture.css">
    <script type="module" src="js/path.js"></script>{script}
  </head>
  <body class="learn">
    <header>
      <a href="../index.html">Doodle</a>
      <a href="index.html">The learning path</a>
    </header>
    <main>
{content}
    </main>
    <nav class="chapters" aria-label="Chapters">
{chapters}
    </nav>
    <footer>
      <nav aria-label="Previous and next">{links}</nav>
    </footer>
  </body>
</html>
"""


def pages() -> dict[str, str]:
    """Return the HTML of all pages by file name."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sources()}
    titles = {stem: _title(text) for stem, text in texts.items() if stem != "README"}
    minutes = {stem: _minutes(text) for stem, text in texts.items() if CHAPTER.match(stem)}
    return {f"{'index' if stem == 'README' else stem}.html": _page(text, stem, titles, minutes) for stem, text in texts.items()}


def sources() -> list[Path]:
    """Return the Markdown files: the chapters in order, the glossary, the README."""
    return sorted(SOURCES.glob("*.md"), key=lambda path: (_number(path.stem), path.stem.isupper(), path.stem))


def with_served_figures(text: str) -> str:
    """Return a chapter's Markdown with the figures of the model in artifacts/."""
    figures = served_figures()
    return SERVED.sub(lambda found: f"<!--={found[1]}-->{figures[found[1]]}<!--/-->", text)


def served_figures() -> dict[str, str]:
    """Return the figures of the model in artifacts/ by their names in the chapters."""
    card = json.loads((PROJECT / "artifacts" / "model" / "model.json").read_text(encoding="utf-8"))
    with open(PROJECT / "artifacts" / "history.csv", encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    best = min(epochs, key=lambda epoch: float(epoch["validation_loss"]))
    convolution = card["network"]["layers"][0]["conv2d"]
    filters, kernel = convolution["filters"], convolution["kernel_size"]
    side = card["network"]["input_shape"][1]
    outputs = filters * (side - kernel + 1 + 2 * convolution.get("padding", 0)) ** 2
    return {
        "parameters": f"{card['network']['parameters']:,}",
        "filters": f"{filters}",
        "kernel": f"{kernel} by {kernel}",
        "filter_numbers": f"{filters * (kernel**2 + 1):,}",
        "dense_numbers": f"{outputs * (side**2 + 1) / 1e6:.0f} million",
        "weight_decay": f"{card['recipe']['optimizer_options'].get('weight_decay', 0)}",
        "epochs": f"{card['training']['epochs']}",
        "temperature": f"{card['temperature']:.2f}",
        "test_accuracy": f"{card['test']['accuracy']:.2%}",
        "best_epoch": best["epoch"],
        "best_loss": f"{float(best['validation_loss']):.4f}",
        "last_loss": f"{float(epochs[-1]['validation_loss']):.4f}",
    }


def _page(text, stem, titles, minutes):
    content, images = IMAGE.subn(FRAME, _markdown().render(SERVED.sub(r"\2", text)))
    # The server has no files outside the pages, so a link to one becomes plain text.
    content = re.sub(r'<a href="(?:\.\./)+[^"]*">(.*?)</a>', r"\1", content, flags=re.DOTALL)
    content = re.sub(
        r'<a href="http://localhost:3000/learn">.*?</a>', '<a class="address" href="index.html">this address</a>', content
    )
    content = content.replace('href="http://localhost:3000', 'href="../index.html')
    content = re.sub(r'href="README\.md"', 'href="index.html"', content)
    content = re.sub(r'href="([\w-]+)\.md(#[\w-]+)?"', r'href="\1.html\2"', content)
    content = content.replace("<table>", '<div class="scrolls" tabindex="0"><table>').replace("</table>", "</table></div>")
    if stem in minutes:
        content = content.replace("</h1>", f'</h1>\n<p class="time">{minutes[stem]} minutes, without the folded parts</p>', 1)
    script = f'\n    <script type="module" src="js/{CHAPTER.match(stem)[2]}-picture.js"></script>' if images else ""
    return TEMPLATE.format(
        title=html.escape(_title(text)),
        content=content,
        script=script,
        chapters=_chapters(stem, titles, minutes),
        links=_links(stem, titles),
    )


def _chapters(stem, titles, minutes):
    rows = []
    for each, title in titles.items():
        here = ' aria-current="page"' if each == stem else ""
        time = f" <small>{minutes[each]} min</small>" if each in minutes else ""
        rows.append(f'        <li><a href="{each}.html"{here}>{html.escape(title)}</a>{time}</li>')
    return "\n".join(["      <ul>", *rows, "      </ul>"])


def _minutes(text):
    """Return the minutes to read a chapter without its folds and code, and to play."""
    visible = re.sub(r"^```.*?^```$|<details>.*?</details>", "", text, flags=re.MULTILINE | re.DOTALL)
    return math.ceil(len(visible.split()) / WORDS_A_MINUTE) + MINUTES_OF_PLAY


def _links(stem, titles):
    if stem == "README":
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
        return f'<pre class="output"><code>{html.escape(tokens[index].content)}</code></pre>\n'
    code = f"<pre><code>{highlight(tokens[index].content, PythonLexer(), HtmlFormatter(nowrap=True))}</code></pre>"
    if not file:
        return code + "\n"
    return f'<figure class="quotation"><figcaption>{html.escape(file)}</figcaption>{code}</figure>\n'


def _equation(content, options):
    display = "block" if options["display_mode"] else "inline"
    formulas = re.split(r"\\qquad", content.strip())
    made = ["<wbr>".join(_converted(_pieces(formula), display)) for formula in formulas if formula.strip()]
    return made[0] if len(made) == 1 else " ".join(f'<span class="formula">{formula}</span>' for formula in made)


def _converted(pieces, display):
    first, *others = [convert(piece, display=display) for piece in pieces]
    # As the first operator of a row, + would be a sign without space around it.
    return [first, *(re.sub(r"^(<math[^>]*><mrow><mo)(?=>)", r'\1 form="infix"', each) for each in others)]


def _pieces(formula):
    """Split a formula before each operator outside brackets, where a line may break."""
    pieces, depth, before = [""], 0, ""
    for part in re.findall(r"\\[a-zA-Z]+|\\.|.", formula.strip(), re.DOTALL):
        depth += (part in ("{", "(", r"\begin")) - (part in ("}", ")", r"\end"))
        if part in OPERATORS and depth == 0 and before and before not in OPERATORS:
            pieces.append(part)
        else:
            pieces[-1] += part
        before = part.strip() or before
    return pieces


def _title(text):
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def _number(stem):
    found = CHAPTER.match(stem)
    return int(found[1]) if found else math.inf


def main() -> int:
    for path in sources():
        path.write_text(with_served_figures(path.read_text(encoding="utf-8")), encoding="utf-8")
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
