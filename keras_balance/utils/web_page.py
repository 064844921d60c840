"""One self-contained HTML page: text, tables and pictures, without JavaScript."""

import base64
import html
import io
import string

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imsave

from keras_balance.utils.images import rescale

_PAGE = string.Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto;
  padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #8886;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
@media (max-width: 30rem) { th, td { font-size: .8rem; padding: .25rem .3rem; } }
tr.marked { background: #fc04; font-weight: 600; }
img { max-width: 100%; height: auto; background: white; }
img.small { image-rendering: pixelated; width: 6rem; height: 6rem;
  object-fit: contain; background: #8884; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; }
.row img:not(.small) { flex: 1 1 20rem; min-width: 0; max-width: 30rem;
  align-self: flex-start; }
figure { margin: 0; width: 6rem; } figcaption { font-size: .8rem; line-height: 1.3;
  overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .75rem; background: #8882; }
</style>
</head>
<body>
<h1>$title</h1>
$body
</body>
</html>
""")


def page(title, parts):
    """Write a page.

    Args:
        title: Its title, plain text.
        parts: Sequence of pieces of HTML.
    """
    return _PAGE.substitute(title=html.escape(title), body="\n".join(parts))


def section(heading, *contents):
    """Write a heading and what is below it: HTML, as the functions here give it."""
    return "\n".join([f"<h2>{html.escape(heading)}</h2>", *contents])


def paragraph(text):
    """Write plain text as a paragraph."""
    return f"<p>{html.escape(text)}</p>"


def preformatted(text):
    """Write plain text with its lines and columns as they are."""
    return f"<pre>{html.escape(text)}</pre>"


def table(header, rows, marked=()):
    """Write a table that scrolls sideways where it is too wide.

    Args:
        header: Sequence of the columns' titles.
        rows: Sequence of rows, each a sequence of as many strings.
        marked: Places of the rows to mark.
    """
    lines = [_row("th", header, False)]
    lines += [_row("td", row, place in marked) for place, row in enumerate(rows)]
    return "\n".join(['<div class="wide"><table>', *lines, "</table></div>"])


def picture(figure, alt):
    """Write a matplotlib figure, embedded.

    Args:
        figure: A `matplotlib.figure.Figure`.
        alt: What it shows, for those who cannot see it.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, bbox_inches="tight")
    return f'<img src="{_data_uri(stream)}" alt="{html.escape(alt)}">'


def thumbnails(images, captions, value_range):
    """Write small images side by side, each with its caption below.

    Args:
        images: `(n, height, width, channels)`.
        captions: Sequence of `n` plain texts.
        value_range: `(low, high)` of the pixels.
    """
    images = np.clip(rescale(np.asarray(images, "float32"), value_range, (0, 1)), 0, 1)
    if images.shape[-1] not in (3, 4):
        images = np.repeat(images.mean(axis=-1, keepdims=True), 3, axis=-1)
    figures = []
    for image, caption in zip(images, captions, strict=True):
        stream = io.BytesIO()
        imsave(stream, image, format="png")
        text = html.escape(caption)
        figures.append(
            f'<figure><img class="small" src="{_data_uri(stream)}" alt="{text}">'
            f"<figcaption>{text}</figcaption></figure>"
        )
    return row(*figures)


def row(*contents):
    """Write pieces of HTML side by side, and below where they find no room."""
    return "\n".join(['<div class="row">', *contents, "</div>"])


def as_html(content):
    """Write a text as it is, a figure as a picture, or several of them."""
    if isinstance(content, (list, tuple)):
        return "\n".join(map(as_html, content))
    if isinstance(content, Figure):
        return picture(content, "")
    return preformatted(str(content))


def _row(cell, texts, is_marked):
    cells = "".join(f"<{cell}>{html.escape(text)}</{cell}>" for text in texts)
    return f"<tr{' class=marked' if is_marked else ''}>{cells}</tr>"


def _data_uri(stream):
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
