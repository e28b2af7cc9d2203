"""A learner's words on the pages of feedback and formgrader: text, pictures and formulas, and nothing that runs.

nbconvert puts the HTML in a Markdown cell onto the page as it stands. In formgrader that would be a stranger's program
in the instructor's browser, with the gradebook at hand. What Markdown makes of a cell is therefore cleaned here; code
and outputs are escaped by nbconvert itself.
"""

from __future__ import annotations

import re
from html import escape

from bleach import clean
from bleach.sanitizer import ALLOWED_TAGS
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

LONGEST = 100_000  # characters; Markdown takes more than linear time for some texts
TAGS = {
    *ALLOWED_TAGS,
    *("br", "dd", "del", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "kbd", "mark"),
    *("p", "pre", "q", "s", "samp", "small", "span", "strike", "sub", "summary", "sup", "table", "tbody", "td"),
    *("tfoot", "th", "thead", "tr", "tt", "u", "var"),
}
COLOURED = re.compile(r"highlight|hl-\w+|[a-z][a-z0-9]{0,2}")  # what the highlighter calls the parts of a program
LINK = re.compile(r"https?://|mailto:|#")
PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*|https?://.*")


@pass_context
def markdown2html(context, source: str) -> str:
    """A Markdown cell as HTML that is safe to show: the filter of that name in nbconvert's templates."""
    attachments = context.get("cell", {}).get("attachments", {})
    try:
        if len(source) > LONGEST:
            raise ValueError("too long")
        made = MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=attachments)).render(source)
        return clean(made, tags=TAGS, attributes=allowed, protocols=("http", "https", "mailto", "data"))
    except Exception:  # a picture that is not attached, a text nested too deeply: its words are shown all the same
        return f"<pre>{escape(source)}</pre>"


def allowed(tag: str, name: str, value: str) -> bool:
    """Whether an element may have this attribute. No id and no style: a page's own buttons are found by them."""
    if name == "src":
        return tag == "img" and bool(PICTURE.fullmatch(value))
    if name == "href":
        return tag == "a" and bool(LINK.match(value))
    if name == "class":
        return all(COLOURED.fullmatch(word) for word in value.split())
    plain = ("alt", "title", "align", "colspan", "rowspan", "scope", "start", "open")
    return name in plain or (tag == "img" and name in ("width", "height"))
