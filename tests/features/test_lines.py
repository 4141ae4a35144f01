"""Documents as arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from boilerplate_ds import Document
from boilerplate_ds.features import LineBatch, text_tokens
from boilerplate_ds.features.text_tokens import TEXT_BITS


def batch_of(*documents: tuple[str, ...]) -> LineBatch:
    return LineBatch.of([Document(id=str(i), lines=lines) for i, lines in enumerate(documents)])


def words(batch: LineBatch) -> list[tuple[int, str]]:
    text = "".join(map(chr, batch.normal))
    spans = zip(batch.word_line, batch.word_start, batch.word_length, strict=True)
    return [(int(line), text[start : start + length]) for line, start, length in spans]


def test_words_are_lower_case_runs_of_letters_and_digits():
    assert words(batch_of(("Hello, World-42!", "É da"))) == [
        (0, "hello"),
        (0, "world00"[:5]),
        (0, "00"),
        (1, "é"),
        (1, "da"),
    ]


def test_letters_of_scripts_without_spaces_are_words_of_their_own():
    assert words(batch_of(("渡輪abc延誤",))) == [(0, "渡"), (0, "輪"), (0, "abc"), (0, "延"), (0, "誤")]


def test_documents_and_lines_keep_their_order():
    batch = batch_of(("a b", "c"), (), ("d",))
    assert batch.ends.tolist() == [0, 2, 2, 3]
    assert batch.document.tolist() == [0, 0, 2]
    assert batch.length.tolist() == [3, 1, 1]


def test_equal_lines_have_equal_hashes_whatever_case_and_punctuation():
    hashes = batch_of(("Read more", "· READ MORE »", "more read", "read more now")).line_hash
    assert hashes[0] == hashes[1]
    assert len({hashes[0], hashes[2], hashes[3]}) == 3


def test_a_document_has_the_same_tokens_alone_and_in_company():
    lines = ("Ferry to the island", "Tickets · €12.50", "次の便", "x")
    company = text_tokens(batch_of(("before", "too"), lines, ("after",)))
    for (together, ends), (buckets, own_ends) in zip(company, text_tokens(batch_of(lines)), strict=True):
        assert together[ends[2] : ends[6]].tolist() == buckets.tolist()
        assert np.diff(ends)[2:6].tolist() == np.diff(own_ends).tolist()


def test_shape_tokens_tell_lengths_around_a_line():
    kinds = [list(text_tokens(batch_of(("x" * size, "ferry", "tickets"))))[3] for size in (3, 300)]
    rows = [buckets[ends[1] : ends[2]] for buckets, ends in kinds]
    assert (rows[0] != rows[1]).sum() == 1  # of the nine codes of "ferry", that of the line before


@given(
    st.lists(
        st.lists(st.text(min_size=1).filter(lambda s: bool(s.strip())), max_size=5), min_size=1, max_size=4
    )
)
def test_any_lines_become_arrays_that_fit(documents):
    batch = batch_of(*map(tuple, documents))
    assert batch.n_lines == sum(map(len, documents))
    assert (np.diff(batch.word_start) > 0).all()
    assert batch.word_line.size == 0 or batch.word_line.max() < batch.n_lines
    for buckets, ends in text_tokens(batch):
        assert len(ends) == batch.n_lines + 1
        assert ends[-1] == len(buckets)
        assert (np.diff(ends) >= 0).all()
        assert buckets.size == 0 or (buckets.min() >= 0 and buckets.max() < 1 << TEXT_BITS)
