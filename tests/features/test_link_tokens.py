"""What targets of links say."""

from __future__ import annotations

import numpy as np

from boilerplate_ds.document import Document
from boilerplate_ds.features import Forest, LineBatch, markup_tokens
from boilerplate_ds.features.link_tokens import ABSOLUTE, FRAGMENT, NO_LINK, OTHER, RELATIVE, LinkTargets

TARGETS = ("", "#top", "/news/ferry-returns-2024", "https://a.example/x?y=1", "//b.example", "mailto:a@b.c")


def test_kinds_of_targets() -> None:
    kinds = LinkTargets.of([TARGETS]).kind.tolist()
    assert kinds == [NO_LINK, FRAGMENT, RELATIVE, ABSOLUTE, ABSOLUTE, OTHER]


def test_words_are_of_host_path_or_query() -> None:
    targets = LinkTargets.of([("https://a.example/news/today?id=7#end", "/about/us")])
    words = ["https", "a", "example", "news", "today", "id", "7", "end", "about", "us"]
    parts = dict(zip(words, targets.word_part.tolist(), strict=True))
    assert [word for word, part in parts.items() if part == 0] == ["https", "a", "example"]
    assert [word for word, part in parts.items() if part == 2] == ["id", "7", "end"]


def test_the_hosts_share_is_that_of_its_own_document() -> None:
    own = ("", "https://a.example/1", "https://a.example/2", "https://b.example/", "/here")
    alone = LinkTargets.of([own]).host_share
    np.testing.assert_allclose(alone, [0, 2 / 3, 2 / 3, 1 / 3, 0])
    together = LinkTargets.of([("https://b.example/",), own]).host_share
    np.testing.assert_allclose(together[1:], alone)


def test_where_a_link_leads_changes_the_tokens_of_its_line_alone() -> None:
    def tokens(target: str) -> list[list[int]]:
        page = f"<body><p>Some text.</p><p><a href='{target}'>More</a></p><p>And more text.</p>" + "x" * 300
        batch = LineBatch.of([Document.from_html(page)])
        forest = Forest.of(batch)
        assert forest is not None
        kinds = list(markup_tokens(forest, batch))
        return [
            sorted(b for buckets, ends in kinds for b in buckets[ends[line] : ends[line + 1]].tolist())
            for line in range(3)
        ]

    share, story = tokens("/share/page"), tokens("/story/page")
    assert share[0] == story[0]
    assert share[1] != story[1]
    assert share[2] == story[2]
