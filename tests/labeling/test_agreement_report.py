"""The agreement page: every disagreement in its context, and nothing of it is taken for markup."""

from __future__ import annotations

from boilerplate_ds.document import Annotation, Document, decode_runs
from boilerplate_ds.labeling.agreement import collect_ratings, measure_agreement
from boilerplate_ds.labeling.agreement_report import N_CONTEXT, agreement_page, find_passages

HOSTILE = "<script>alert(1)</script>\u202e<img src=x onerror=alert(2)>"
PAGE = Document("p", tuple(f"line {i}" for i in range(1, 20)), site="one.example")
OTHER = Document("<b>q</b>", (HOSTILE, "second"), site="\"'><script>")


def ratings():
    annotations = [
        Annotation(page.id, page.text_sha256, name, decode_runs(labels))
        for page, *both in ((PAGE, "19c", "8c 2n 7c 2a"), (OTHER, "2c", "1a 1c"))
        for name, labels in zip(("ana", "ben"), both, strict=True)
    ]
    return collect_ratings(annotations, {(page.id, page.text_sha256): page.site for page in (PAGE, OTHER)})


PAGES = {(page.id, page.text_sha256): page for page in (PAGE, OTHER)}


def test_lines_close_to_each_other_are_one_passage_with_the_lines_around_it():
    first, *rest = find_passages(ratings(), PAGES)
    assert first.doc_id == OTHER.id  # the larger share of its lines differs
    spans = [(passage.lines[0].number, passage.lines[-1].number) for passage in rest]
    assert spans == [(9 - N_CONTEXT, 10 + N_CONTEXT), (18 - N_CONTEXT, 19)]
    differing = [line.number for passage in rest for line in passage.lines if line.differs]
    assert differing == [9, 10, 18, 19]
    assert [label.value for label in rest[0].lines[2].labels] == ["content", "navigation"]


def test_what_pages_and_annotators_wrote_is_shown_as_text():
    found = ratings()
    html = agreement_page(measure_agreement(found), found, PAGES)
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "⟨U+202E⟩" in html
    assert "<b>q" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_documents_whose_text_is_not_here_are_passed_over():
    assert list(find_passages(ratings(), {})) == []
    found = ratings()
    assert "There are none." in agreement_page(measure_agreement(found), found, {})
