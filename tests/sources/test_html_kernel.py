"""The compiled reader of HTML gives what its definition in Python gives, on any page."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources import html as reader
from trust.test_hostile_html import ATTACKS

pytestmark = pytest.mark.skipif(reader._KERNEL is None, reason="there is no compiled kernel")

PAGE = (Path(__file__).parents[2] / "examples" / "page.html").read_text(encoding="utf-8")


def listed(text: str) -> list[str]:
    return text.split("|")


NAMES = listed(
    "a|A|b|body|BODY|html|head|div|DIV|p|span|td|th|tr|table|tbody|tfoot|caption|colgroup|li|ul|dl|dd|dt|h1|H6|pre"
    "|option|select|SVG|svg|title|TITLE|titles|meta|metadata|script|style|Style|textarea|template|object|map|data"
    "|d|button|br|img|input|PRE|x|x-y|ſvg|tıtle|mar\u212a|İ|form|label|video|blockquote|a=b|é|hr"
    "|abcdefghijkl|abcdefghijklm"
)
ATTRIBUTES = listed(
    "class|CLASS|Class|id|ID|role|itemprop|rel|aria-label|ARIA-LABEL|hidden|aria-hidden|style|href|HREF|classes|content"
    "|name|property|=|/|\"|'|\0"
)
VALUES = listed(
    "a|a b|&amp;|&lt;x|true|display:none|display: none|>|<p>|</script>|description||&#32;|é|\u2003x|it's|\""
)
SPACES = listed(" |\n|\t|\u00a0|\u2003|\x1c|\x85||  ")
TEXTS = listed(
    "word|two words| |\n|\u00a0|\u2028|\x85|\x1c|\x1e|\x1f|\0|\ud800|\U0001f600|é|x\ny|<|>|<3|="
    "|&nbsp;|&amp;|&amp|&amp;lt;|&notit;|&bogus;|&|& |&;|&#|&#;|&#x;|&acE;|&nGt;|&am\0p;|&hellip;x"
    "|&#8217;|&#0;|&#10;|&#013;|&#31;|&#126;|&#127;|&#128;|&#159;|&#160;|&#55296;|&#xa0;|&#xD800;"
    "|&#999999999999999999999999;|&CounterClockwiseContourIntegral;"
)
PIECES = listed(
    "<!--|-->|--!>|<!-->|<!--->|<!--!>|<!|<?|</|</_>|<!x>|<!-|<!--x--|<|</title>|</script>|</SCRIPT/>|<script/>x"
    "|</svg>|</svg/>>|<svg/>|<svg/>>|<svg></svg>>|<svg><p>x|<svg><title>t|</svg\n<title>|<svg><titles"
    "|</select>|</textarea|</ſcript>|<title>&amp; \0x\ud800</title>|<title a='>'>b|<pre>\n a\n  b\x1f</pre>"
    "|<pre>x&#10;<b>y\n"
    "|<meta name=description content='of the page'>"
    '|<script type=\'application/ld+json\'>{"articleBody":"x y\\nz"}</script>'
)


def read(page: str, how) -> tuple:
    """Give all that is read from a page, in a form that compares bit by bit."""
    try:
        lines, markup, tags = how(page)
    except SourceError as error:
        return (str(error),)
    fields = [getattr(markup, field.name) for field in dataclasses.fields(markup)]
    return (
        lines,
        [(x.dtype, x.shape, x.tobytes()) if isinstance(x, np.ndarray) else x for x in fields],
        list(reader._descriptions(tags, page)),
    )


def assert_both_read_alike(page: str) -> None:
    assert read(page, reader._read) == read(page, reader._read_purely)


def tag(r: random.Random) -> str:
    written = r.choice(("<", "<", "</")) + r.choice(NAMES)
    for _ in range(r.choice((0, 0, 1, 1, 2, 4))):
        written += r.choice(SPACES) + r.choice(ATTRIBUTES)
        if r.random() < 0.8:
            written += r.choice(SPACES) + "=" + r.choice(SPACES)
            written += r.choice(("{}", "'{}'", '"{}"', '"{}', "'{}")).format(r.choice(VALUES))
    return written + r.choice((">", ">", ">", "/>", "", " "))


def soup(r: random.Random, n: int) -> str:
    makers = (tag, tag, tag, lambda r: r.choice(TEXTS), lambda r: r.choice(TEXTS), lambda r: r.choice(PIECES))
    return "".join(r.choice(makers)(r) for _ in range(n))


def mutated(r: random.Random, page: str) -> str:
    """Cut, double, splice and spoil a page here and there."""
    for _ in range(r.choice((1, 3, 10, 30))):
        start = r.randrange(len(page) + 1)
        stop = start + r.choice((1, 2, 5, 50, 500))
        piece, later = page[start:stop], page[stop : stop + 300]
        change = r.choice(("", 2 * piece, piece.swapcase(), piece + soup(r, 2), later, r.choice("<>=\"'")))
        page = page[:start] + change + page[stop:]
    return page


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64), st.sampled_from((1, 2, 3, 10, 100)))
def test_tag_soup_is_read_alike(seed: int, n: int) -> None:
    assert_both_read_alike(soup(random.Random(seed), n))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**64))
def test_spoilt_pages_are_read_alike(seed: int) -> None:
    assert_both_read_alike(mutated(random.Random(seed), PAGE))


@given(st.text(alphabet="<>/=\"'!-& apscriptdv\n\0\ud800é"))
def test_any_string_is_read_alike(page: str) -> None:
    assert_both_read_alike(page)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_read_alike(name: str) -> None:
    assert_both_read_alike(ATTACKS[name])


@pytest.mark.parametrize("n", [999, 1000, 1001])
def test_quotes_count_in_as_many_attributes_alike(n: int) -> None:
    assert_both_read_alike("<p " + "a='>' " * n + ">text")


@pytest.mark.parametrize("n", [2, 511, 512, 513, 600])
def test_elements_nest_and_look_as_deep_alike(n: int) -> None:
    assert_both_read_alike("<div>a<b>" * n + "<table><td>x</table>" + "y</div>" * n + "z")
    assert_both_read_alike("<li>" + "<span>" * (n % 100) + "x<li>y</li>z")


def test_each_script_and_space_of_unicode_is_read_alike() -> None:
    everything = "".join(map(chr, range(0x11000)))
    assert_both_read_alike(everything)
    assert_both_read_alike("".join(f"<p{letter}id=a{letter}>{letter}x{letter}" for letter in everything))


def test_named_references_are_read_alike() -> None:
    from html.entities import html5

    assert_both_read_alike("".join(f"<p>&{name}x &{name}" for name in html5))
    assert_both_read_alike("".join(f"<p>&#{number};x" for number in range(0x10000)))
