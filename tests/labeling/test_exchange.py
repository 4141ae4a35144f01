"""Labels go to every tool's file and come back as they were; what does not fit is named, the rest is read."""

from __future__ import annotations

import csv
import io
import json
import shutil
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from boilerplate_ds.document import Annotation, Document
from boilerplate_ds.errors import DatasetError, LabelError, Rejects
from boilerplate_ds.labeling.collect import add_documents
from boilerplate_ds.labeling.collection import load_collection, write_document_file
from boilerplate_ds.labeling.exchange import ExchangeReport, export_labels, import_labels
from boilerplate_ds.labeling.formats import FORMATS, label_studio
from boilerplate_ds.labeling.formats.label_studio import label_config
from boilerplate_ds.labeling.formats.spans import Span, labels_of_spans, line_spans, line_starts
from boilerplate_ds.labeling.store import LabelStore
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion, read_suggestions

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT = (
    "\n\nSkip to content 💩\r\n\r\n  <b>Ferry</b> &amp; <script>alert(1)</script>  \n"
    "=1+1\n\n日本語 𝔘𝔫𝔦\nEnd\u202e evil\n"
)
ANA = [2, 0, 1, 0, 3]
BEN = [2, 0, 0, 0, 3]


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """Two annotators, notes, times, blank lines, metadata, suggestions; and a page nobody labelled."""
    folder = tmp_path / "rich"
    page = Document.from_text(
        TEXT,
        id="rich/1",
        url="https://x.example/a",
        site="x.example",
        language="en",
        metadata={"page_type": "news", "deep": {"a": [1, None, 2.5]}},
    )
    add_documents(folder, [page, Document(id="plain", lines=("one line", "'=two", "- three"))])
    store = LabelStore(folder)
    sha = page.text_sha256
    ana = Annotation(
        "rich/1", sha, "ana", np.int8(ANA), "3", "2024-01-01T00:00:00Z", 12.5, "a note\nof two lines"
    )
    store.append(ana, {"suggested_by": "rules", "changed": 2, "unsure": [1]})
    store.append(Annotation("rich/1", sha, "ben@x.example", np.int8(BEN), "3", "2024-01-02T00:00:00Z"))
    scores = np.float32([0.5, 0.25, 1, 0.75, 0.125])
    append_suggestion(folder, Suggestion("rich/1", sha, "rules", np.int8(BEN), scores))
    return folder


@pytest.fixture(scope="module")
def languages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first starter page of each language."""
    folder = tmp_path_factory.mktemp("some") / "languages"
    starter = Path(__file__).resolve().parents[2] / "labels" / "starter"
    pages = [path.read_bytes().splitlines(keepends=True)[0] for path in starter.glob("documents/*.jsonl")]
    ids = {json.loads(page)["id"] for page in pages}
    labels = (starter / "annotations" / "authors.jsonl").read_bytes().splitlines(keepends=True)
    for room, lines in (("documents", pages), ("annotations", labels)):
        (folder / room).mkdir(parents=True)
        kept = (line for line in lines if json.loads(line).get("doc_id", "") in {*ids, ""})
        (folder / room / "authors.jsonl").write_bytes(b"".join(kept))
    return folder


def exported(folder: Path, format_name: str, rejects: Rejects | None = None) -> Path:
    path = folder.with_suffix(f".{format_name}")
    path.write_bytes(b"".join(export_labels(folder, format_name, ExchangeReport(), rejects)))
    return path


def records(folder: Path, *rooms: str) -> list[bytes]:
    """The stored records, byte for byte, in whichever files of their room they are."""
    return sorted(line for room in rooms for p in folder.glob(f"{room}/*.jsonl") for line in p.open("rb"))


def write_lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def reasons(rejects: Rejects) -> list[str]:
    return [f"{item.record}: {item.reason}" for item in rejects.items]


def labels_in(folder: Path) -> dict[tuple[str, str], list[int]]:
    return {key: stored.annotation.labels.tolist() for key, stored in LabelStore(folder).latest().items()}


# Round trips


@pytest.mark.parametrize("name", FORMATS)
def test_a_collection_comes_back_byte_for_byte(name, rich, tmp_path):
    back = tmp_path / "back"
    import_labels(exported(rich, name), name, back)
    rooms = ("documents", "annotations", *(["suggestions"] if name == "label-studio" else []))
    assert records(back, *rooms) == records(rich, *rooms)
    assert load_collection(back).documents["rich/1"].text == TEXT


@pytest.mark.parametrize("name", FORMATS)
def test_pages_in_every_language_come_back_byte_for_byte(name, languages, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"".join(export_labels(languages, name, ExchangeReport())))
    report = import_labels(path, name, tmp_path / "back")
    assert records(tmp_path / "back", "documents", "annotations") == records(
        languages, "documents", "annotations"
    )
    assert (report.new_documents, report.annotations, report.unlabelled) == (25, 25, 0)


@pytest.mark.parametrize("name", FORMATS)
def test_reading_a_file_twice_changes_nothing(name, rich, tmp_path):
    before = records(rich, "documents", "annotations", "suggestions")
    report = import_labels(exported(rich, name), name, rich)
    assert records(rich, "documents", "annotations", "suggestions") == before
    assert (report.annotations, report.suggestions, report.new_documents) == (0, 0, 0)
    assert report.unchanged >= 2


LABELS_OF_ANA = {
    "csv": ("1,navigation,Skip", "1,content,Skip"),
    "doccano": ('"navigation"]', '"content"]'),
    "label-studio": ('"labels": ["navigation"]', '"labels": ["content"]'),
    "prodigy": ('"label": "navigation"', '"label": "content"'),
}


@pytest.mark.parametrize("name", FORMATS)
def test_labels_changed_back_in_another_tool_count_again(name, rich, tmp_path):
    first = exported(rich, name)
    changed = tmp_path / "changed"
    text = first.read_text(encoding="utf-8")
    changed.write_text(text.replace(*LABELS_OF_ANA[name]), encoding="utf-8")
    import_labels(changed, name, rich)
    assert labels_in(rich)["rich/1", "ana"] == [0, *ANA[1:]]
    assert import_labels(first, name, rich).annotations == 2
    assert labels_in(rich)["rich/1", "ana"] == ANA


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_from_before_the_last_labels_does_not_undo_them(name, rich):
    path = exported(rich, name)
    page = load_collection(rich).documents["rich/1"]
    later = Annotation(page.id, page.text_sha256, "ana", np.int8([0] * 5), created_at="2024-02-01T00:00:00Z")
    LabelStore(rich).append(later)
    assert import_labels(path, name, rich).annotations == 0
    assert labels_in(rich)["rich/1", "ana"] == [0] * 5


def test_two_annotations_by_one_user_of_a_task_are_read_once(tmp_path):
    task = label_studio_task("Sale", [region(0, 4, "ad")])
    task["annotations"].append(task["annotations"][0] | {"result": [region(0, 4, "content")]})
    for _ in range(2):
        read_tasks(tmp_path / "mine", task)
        assert len(records(tmp_path / "mine", "annotations")) == 2
        assert labels_in(tmp_path / "mine").popitem()[1] == [0]


def test_what_a_file_has_no_column_for_is_unchanged(rich, tmp_path):
    before = records(rich, "annotations")
    names = ("content", "ad", "navigation", "recommendation")
    path = tmp_path / "needed.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("doc_id", "label", "text", "annotator", "document"))
        separators = json.dumps({"separators": Document.from_text(TEXT).separators})
        for label, line in zip(ANA, Document.from_text(TEXT).lines, strict=True):
            writer.writerow(
                ("rich/1", names[label], f"'{line}" if line[0] == "=" else line, "ana", separators)
            )
            separators = ""
    assert import_labels(path, "csv", rich).unchanged == 1
    assert records(rich, "annotations") == before


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80),
    name=st.sampled_from(sorted(FORMATS)),
)
def test_any_text_comes_back(text, name, tmp_path_factory):
    document = Document.from_text(text, id="=any'")
    assume(document.lines)
    folder = tmp_path_factory.mktemp("any") / "any"
    add_documents(folder, [document])
    labels = np.arange(len(document.lines), dtype=np.int8) % 4
    LabelStore(folder).append(Annotation("=any'", document.text_sha256, "ana", labels, created_at="2024"))
    import_labels(exported(folder, name), name, folder.with_name("back"))
    back = load_collection(folder.with_name("back"))
    assert back.documents["=any'"].text == text
    assert back.annotations[0].labels.tolist() == labels.tolist()


@pytest.mark.parametrize("name", FORMATS)
def test_a_page_without_lines_is_left_out(name, rich):
    write_document_file(rich / "documents" / "z.jsonl", [Document(id="empty", lines=())])
    rejects = Rejects()
    exported(rich, name, rejects)
    assert reasons(rejects) == ["document 'empty': document 'empty' has no lines"]


def test_half_a_character_cannot_go_into_csv_and_the_other_pages_still_do(rich):
    add_documents(rich, [Document(id="half", lines=("\ud800",))])
    rejects = Rejects()
    path = exported(rich, "csv", rejects)
    assert reasons(rejects) == [
        "document 'half': document 'half' holds a NUL or half a character; CSV can't carry that"
    ]
    assert "rich/1" in path.read_text(encoding="utf-8")


def test_no_cell_of_a_csv_is_a_formula(rich):
    rows = list(csv.reader(io.StringIO(exported(rich, "csv").read_text(encoding="utf-8"))))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert "'=1+1" in {row[3] for row in rows}


# Files in each tool's documented form


def test_doccano_files_of_one_person_are_read_under_their_name(tmp_path):
    path = write_lines(
        tmp_path / "ana.jsonl",
        {"id": 7, "text": "Home\n\nNews of today", "label": [[0, 4, "navigation"], [6, 19, "content"]],
         "Comments": ["hm"], "page_type": "news", "gone": None},
        {"id": 8, "text": "Alone", "relations": [],
         "entities": [{"id": 1, "label": "ad", "start_offset": 0, "end_offset": 5}], "Comments": []},
        {"id": 9, "text": "Nobody has labelled this", "label": []},
    )  # fmt: skip
    report = import_labels(path, "doccano", tmp_path / "mine", annotator="ana")
    assert (report.documents, report.unlabelled, report.annotations) == (3, 1, 2)
    collection = load_collection(tmp_path / "mine")
    first = next(d for d in collection.documents.values() if len(d.lines) == 2)
    assert first.text == "Home\n\nNews of today"
    assert first.metadata == {"page_type": "news"}
    stored = LabelStore(tmp_path / "mine").latest()[first.id, "ana"].annotation
    assert (stored.labels.tolist(), stored.notes) == ([2, 0], "hm")


def test_an_annotation_that_could_not_be_stored_is_named_and_the_others_are_read(tmp_path):
    path = write_lines(
        tmp_path / "x.jsonl",
        *(
            {
                "text": f"Page {i}",
                "label": [[0, 6, "content"]],
                "document": {"id": f"page-{i}"},
                "annotation": {"annotator": "ana", "sure": sure},
            }
            for i, sure in enumerate((1.0, nan, 0.5))
        ),
    )
    rejects = Rejects()
    report = import_labels(path, "doccano", tmp_path / "mine", rejects=rejects)
    assert (report.documents, report.annotations, rejects.count) == (2, 2, 1)
    assert (rejects.items[0].record, "JSON" in rejects.items[0].reason) == ("line 2", True)


def test_prodigy_answers_other_than_accept_are_no_labels(tmp_path):
    def task(answer: str, text: str) -> dict[str, Any]:
        span = {"start": 0, "end": len(text), "token_start": 0, "token_end": 0, "label": "ad"}
        return {
            "text": text,
            "tokens": [{"text": text, "start": 0, "end": len(text), "id": 0, "ws": False}],
            "spans": [span],
            "_input_hash": 1,
            "_task_hash": -2,
            "_view_id": "spans_manual",
            "answer": answer,
            "_timestamp": 1690289516,
            "_annotator_id": "lines-ana",
            "_session_id": "lines-ana",
            "meta": {"page_type": "news"},
        }

    path = write_lines(tmp_path / "p.jsonl", *(task(a, f"Buy {a}") for a in ("accept", "reject", "ignore")))
    report = import_labels(path, "prodigy", tmp_path / "mine")
    assert (report.documents, report.unlabelled) == (3, 2)
    [stored] = LabelStore(tmp_path / "mine").latest().values()
    assert (stored.annotation.annotator, stored.annotation.created_at) == (
        "lines-ana",
        "2023-07-25T12:51:56Z",
    )
    assert load_collection(tmp_path / "mine").documents[stored.annotation.doc_id].metadata == {
        "page_type": "news"
    }


def test_a_prodigy_correction_belongs_to_who_made_it(rich, tmp_path):
    lines = exported(rich, "prodigy").read_text(encoding="utf-8").splitlines()
    task = next(t for t in map(json.loads, lines) if t.get("_annotator_id") == "ana")
    task["spans"][0]["label"] = "content"
    path = write_lines(tmp_path / "p.jsonl", task | {"_annotator_id": "lines-cleo", "_timestamp": 0})
    import_labels(path, "prodigy", rich)
    cleo = LabelStore(rich).latest()["rich/1", "lines-cleo"].annotation
    assert (cleo.notes, cleo.seconds, cleo.created_at) == ("", None, "1970-01-01T00:00:00Z")
    assert (cleo.guidelines, cleo.labels.tolist()) == ("3", [0, *ANA[1:]])
    assert labels_in(rich)["rich/1", "ana"] == ANA


def label_studio_task(text: str, result: Sequence[Any], **fields: Any) -> dict[str, Any]:
    """A task as Label Studio 1.23 exports it."""
    annotation = {
        "id": 9, "completed_by": 1, "result": result, "was_cancelled": False, "ground_truth": False,
        "created_at": "2026-11-24T15:08:12.915314Z", "updated_at": "2026-11-25T15:13:00.858686Z",
        "lead_time": 41.75, "prediction": {}, "result_count": 1, "updated_by": None,
    }  # fmt: skip
    return {
        "id": 3,
        "annotations": [annotation | fields],
        "predictions": [1],
        "data": {"text": text},
        "meta": {},
    }


def region(start: object, end: object, *labels: str, **value: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(labels)} | value
    return {
        "id": "x",
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "origin": "manual",
        "value": value,
    }


def read_tasks(folder: Path, *tasks: Any) -> Rejects:
    path = folder.with_suffix(".json")
    path.write_text(json.dumps(tasks), encoding="utf-8")
    rejects = Rejects()
    import_labels(path, "label-studio", folder, rejects=rejects)
    return rejects


def test_label_studio_annotations_are_their_users(tmp_path):
    note = {"from_name": "notes", "to_name": "text", "type": "textarea", "value": {"text": ["look"]}}
    choice = {"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": ["news"]}}
    result = [region(0, 4, "ad", text="Sale"), note, choice]
    who = {"id": 1, "email": "ana@x.example"}
    task = label_studio_task("Sale", result, completed_by=who)
    assert read_tasks(tmp_path / "mine", task, label_studio_task("Cheap", [region(0, 5, "ad")])).count == 0
    by_email, by_number = LabelStore(tmp_path / "mine").latest().values()
    assert by_email.annotation.annotator == "ana@x.example"
    assert (by_email.annotation.seconds, by_email.annotation.notes) == (41.75, "look")
    assert by_email.annotation.created_at == "2026-11-24T15:08:12.915314Z"
    assert by_email.extra == {"label_studio_results": [choice]}
    assert by_number.annotation.annotator == "user-1"
    assert (
        json.loads(exported(tmp_path / "mine", "label-studio").read_text())[0]["annotations"][0]["result"][2]
        == choice
    )


def test_regions_of_label_studio_that_overlap_are_refused_before_their_texts_are_compared(
    tmp_path, monkeypatch
):
    compared: list[str] = []
    letters = label_studio._letters
    monkeypatch.setattr(label_studio, "_letters", lambda text: compared.append(text) or letters(text))
    text = "Sale " * 1_000
    whole = [region(0, 4_999, "ad", text=text[:4_999])] * 500
    rejects = read_tasks(tmp_path / "mine", label_studio_task(text, whole))
    assert "overlap" in rejects.items[0].reason
    assert not compared
    moved = label_studio_task("Sale", [region(0, 4, "ad", text="Sell")])
    assert "was 'Sell' and is 'Sale' here" in read_tasks(tmp_path / "moved", moved).items[0].reason
    assert compared == ["Sell", "Sale"]


def test_an_edit_in_label_studio_belongs_to_the_editor(rich, tmp_path):
    tasks = json.loads(exported(rich, "label-studio").read_text(encoding="utf-8"))
    task = next(task for task in tasks if task["annotations"])
    edited = task["annotations"][0]
    edited["result"][0]["value"]["labels"] = ["content"]
    edited |= {"updated_by": 4, "updated_at": "2026-02-02T00:00:00Z"}
    assert read_tasks(rich, task).count == 0
    editor = LabelStore(rich).latest()["rich/1", "user-4"].annotation
    assert (editor.labels.tolist(), editor.created_at) == ([0, *ANA[1:]], "2026-02-02T00:00:00Z")
    assert labels_in(rich)["rich/1", "ana"] == ANA


def test_an_edit_by_the_first_user_is_told_by_address(tmp_path):
    who = {"id": 7, "email": "ana@x.example"}
    task = label_studio_task("Sale", [region(0, 4, "ad")], completed_by=who, updated_by=7)
    assert read_tasks(tmp_path / "mine", task).count == 0
    [(_, annotator)] = labels_in(tmp_path / "mine")
    assert annotator == "ana@x.example"


@pytest.mark.parametrize(
    "other",
    [
        {"from_id": "line-1", "to_id": "line-2", "type": "relation", "direction": "right", "labels": []},
        region(0, 2, "Place") | {"from_name": "entity"},
    ],
)
def test_relations_and_labels_of_other_controls_are_kept(other, tmp_path):
    task = label_studio_task("Sale", [region(0, 4, "ad"), other])
    assert read_tasks(tmp_path / "mine", task).count == 0
    [stored] = LabelStore(tmp_path / "mine").latest().values()
    assert (stored.annotation.labels.tolist(), stored.extra) == ([1], {"label_studio_results": [other]})
    [out] = json.loads(exported(tmp_path / "mine", "label-studio").read_text())
    assert out["annotations"][0]["result"][-1] == other


def test_cancelled_annotations_are_none(tmp_path):
    task = label_studio_task("Sale", [region(0, 4, "ad")], was_cancelled=True)
    assert read_tasks(tmp_path / "mine", task).count == 0
    assert labels_in(tmp_path / "mine") == {}


# Label Studio's own tools


def test_label_studio_finds_tasks_annotations_and_predictions_valid(rich):
    label_interface = pytest.importorskip("label_studio_sdk.label_interface")
    interface = label_interface.LabelInterface(label_config())
    interface.validate()
    for task in json.loads(exported(rich, "label-studio").read_text(encoding="utf-8")):
        assert interface.validate_task({"data": task["data"]})
        for annotation in task["annotations"]:
            assert interface._validate_object_logic(annotation) == []
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction, return_errors=True) == []
    broken = {"result": [region(0, 4, "advert")]}
    assert not interface.validate_annotation(broken)


def test_label_studios_converter_reads_the_tasks(rich, tmp_path):
    converter = pytest.importorskip("label_studio_sdk.converter.converter")
    tasks = json.loads(exported(rich, "label-studio").read_text(encoding="utf-8"))
    for number, task in enumerate(tasks, 1):  # what the server adds
        task["id"] = number
        for annotation in task["annotations"]:
            annotation |= {"id": number, "completed_by": 1, "created_at": "2026", "updated_at": "2026"}
    path, config = tmp_path / "tasks.json", tmp_path / "config.xml"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    config.write_text(label_config(), encoding="utf-8")
    out = tmp_path / "out"
    converter.Converter(str(config), str(tmp_path)).convert(str(path), str(out), "CSV", is_dir=False)
    rows = list(csv.DictReader((out / "result.csv").open(encoding="utf-8")))
    found = json.loads(next(row for row in rows if row["label"])["label"])
    names = ("content", "ad", "navigation", "recommendation")
    assert [item["labels"] for item in found] == [[names[i]] for i in ANA]
    lines = Document.from_text(TEXT).lines
    assert tuple(TEXT[item["start"] : item["end"]] for item in found) == lines


# Spans


def test_a_span_for_each_line_counts_code_points_of_the_text():
    document = Document.from_text(TEXT)
    starts = line_starts(document)
    assert [TEXT[s : s + len(line)] for s, line in zip(starts, document.lines, strict=True)] == list(
        document.lines
    )
    assert labels_of_spans(document, line_spans(document, np.int8(ANA))).tolist() == ANA


def test_a_span_may_hold_several_lines_and_miss_a_character():
    document = Document(id="d", lines=("Home page", "  News today  ", "Buy now"))
    spans = [Span(0, 20, 2), Span(25, 31, 1)]
    assert document.text[0:20] == "Home page\n  News tod"
    assert labels_of_spans(document, spans).tolist() == [2, 2, 1]


HOSTILE = {
    "a gap": ([[0, 4, "ad"]], "line 2 has no label: 'News of today'"),
    "an overlap": ([[0, 4, "ad"], [3, 18, "content"]], "the spans 0-4 and 3-18 overlap"),
    "a line with two labels": ([[0, 7, "ad"], [7, 18, "content"]], "line 2 has two labels, ad and content"),
    "too little of a line": ([[0, 4, "ad"], [5, 8, "ad"]], "line 2 is labelled by less than half"),
    "past the end": ([[0, 4, "ad"], [5, 99, "ad"]], "the span 5-99 leaves the text, which ends at 18"),
    "a negative offset": ([[-1, 4, "ad"]], "a span runs from -1 to 4"),
    "an empty span": ([[4, 4, "ad"]], "a span runs from 4 to 4"),
    "a fraction": ([[0.5, 4, "ad"]], "a span has the offset '0.5', which is not a whole number"),
    "an unknown label": ([[0, 4, "advert"]], "unknown label 'advert'; labels are content"),
    "no label": ([[0, 4, None]], "the span 0-4 has no label"),
    "no span": (["0-4"], "0-4 is not a span [start, end, label]"),
    "no list": ("all of it", "label is str, not a list"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_bad_record_is_named_with_its_place_and_the_others_are_read(what, tmp_path):
    label, reason = HOSTILE[what]
    good = {"text": "Home", "label": [[0, 4, "navigation"]]}
    path = write_lines(
        tmp_path / "f.jsonl", good, {"text": "Home\nNews of today", "label": label}, good | {"text": "Nav!"}
    )
    rejects = Rejects()
    import_labels(path, "doccano", tmp_path / "mine", annotator="ana", rejects=rejects)
    assert [r.startswith(f"line 2: {reason}") for r in reasons(rejects)] == [True], reasons(rejects)
    assert len(labels_in(tmp_path / "mine")) == 2
    with pytest.raises(LabelError, match="line 2"):
        import_labels(path, "doccano", tmp_path / "other", annotator="ana")


def test_wrong_records_of_every_format_are_rejected(tmp_path):
    deep = "[" * 100_000
    for name, text, expected in (
        ("doccano", '{"text": "a"\nnull\n{"text": 5}\n{"label": []}\n{"text": " \\n "}\n', 5),
        ("prodigy", '{"text": "a", "answer": "maybe"}\n[]\n{"text": "a", "spans": [[0, 1, "ad"]]}\n', 3),
        ("label-studio", '[{"text": "min"}, 3, {"data": {}}, {"data": {"text": "a"}, "annotations": 5}]', 4),
        ("label-studio", '[{"data": {"text": "a"}}, {"data"', 1),
        ("label-studio", deep, 1),
        ("csv", "id,text\n1,a\n", 1),
        ("csv", "doc_id,label,text\nd,ad\nd,x,a\ne,ad,a,b\nf,,a\nf,ad,b\n", 3),
    ):
        path = tmp_path / "file"
        path.write_text(text, encoding="utf-8")
        rejects = Rejects()
        import_labels(path, name, tmp_path / "mine", annotator="ana", rejects=rejects)
        assert rejects.count == expected, (name, reasons(rejects))
        assert labels_in(tmp_path / "mine") == {}


def test_ids_of_other_tools_may_be_numbers(tmp_path):
    task = label_studio_task("Sale", [region(0, 4, "ad")])
    task["data"] |= {"id": 7, "url": 1.5, "rank": 3}
    assert reasons(read_tasks(tmp_path / "mine", task)) == []
    document = load_collection(tmp_path / "mine").documents["7"]
    assert (document.url, document.metadata) == ("1.5", {"rank": 3})


@pytest.mark.parametrize("kept", ["x", [1]])
def test_results_that_label_studio_could_not_have_kept_are_named(kept, rich):
    labelled = LabelStore(rich).latest()["rich/1", "ana"].annotation
    LabelStore(rich).append(labelled, {"label_studio_results": kept})
    rejects = Rejects()
    exported(rich, "label-studio", rejects)
    assert reasons(rejects) == ["document 'rich/1': ana: label_studio_results is not a list of results"]


def test_a_csv_page_has_one_labelling_by_the_annotator_that_is_named_for_all(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("doc_id,label,text,annotator\nd,ad,a,ana\nd,content,a,ben\nd,ad,a,eva\ne,ad,a,ana\n")
    rejects = Rejects()
    import_labels(path, "csv", tmp_path / "mine", annotator="z", rejects=rejects)
    assert reasons(rejects) == [
        "rows 1 to 3, document 'd': the labels of ben differ from those before, and all are to be z's"
    ]
    assert labels_in(tmp_path / "mine") == {("d", "z"): [1], ("e", "z"): [1]}


def test_one_bad_annotation_of_a_task_leaves_the_others(tmp_path):
    task = label_studio_task("Sale", [region(0, 4, "ad")])
    bad = [
        ([region(0, 4, "ad", text="Soup")], "the region 0-4 was 'Soup' and is 'Sale' here"),
        ([region(0, 4, "ad", "content")], "the region 0-4 has not exactly one label"),
        ([region("0", 4, "ad")], "a span has the offset '0', which is not a whole number"),
        ("all", "it has no list of results"),
    ]
    task["annotations"] += [task["annotations"][0] | {"result": result} for result, _ in bad]
    rejects = read_tasks(tmp_path / "mine", task)
    assert reasons(rejects) == [f"task 1, annotation {n}: {reason}" for n, (_, reason) in enumerate(bad, 2)]
    assert list(labels_in(tmp_path / "mine").values()) == [[1]]


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_that_is_not_the_collections_is_rejected(name, rich, tmp_path):
    path = exported(rich, name)
    other = tmp_path / "other"
    add_documents(other, [Document(id="rich/1", lines=("Something", "else"))])
    rejects = Rejects()
    report = import_labels(path, name, other, rejects=rejects)
    assert rejects.count
    assert all(
        r.endswith("its text is not that of document 'rich/1' of the collection") for r in reasons(rejects)
    )
    assert (report.new_documents, report.annotations) == (1, 0)
    assert load_collection(other).documents["rich/1"].lines == ("Something", "else")


@pytest.mark.parametrize("name", ["doccano", "prodigy", "label-studio"])
def test_a_text_changed_since_it_went_out_is_rejected(name, rich, tmp_path):
    path = exported(rich, name)
    path.write_text(path.read_text(encoding="utf-8").replace("Skip to", "Skip 2 "), encoding="utf-8")
    rejects = Rejects()
    import_labels(path, name, tmp_path / "back", rejects=rejects)
    assert rejects.count == 2
    assert labels_in(tmp_path / "back") == {}


def test_a_record_that_names_nobody_asks_for_the_annotator(tmp_path):
    path = write_lines(tmp_path / "f.jsonl", {"text": "Home", "label": [[0, 4, "ad"]]})
    with pytest.raises(LabelError, match="--annotator NAME"):
        import_labels(path, "doccano", tmp_path / "mine")


def test_documents_without_id_are_found_by_their_text(rich, tmp_path):
    spans = [[s.start, s.end, "ad"] for s in line_spans(Document.from_text(TEXT), np.int8(ANA))]
    path = write_lines(tmp_path / "f.jsonl", {"text": TEXT, "label": spans})
    assert import_labels(path, "doccano", rich, annotator="cleo").new_documents == 0
    assert labels_in(rich)["rich/1", "cleo"] == [1] * 5


def test_a_text_without_id_that_may_be_of_several_pages_is_rejected(tmp_path):
    folder = tmp_path / "twins"
    add_documents(folder, [Document("a", ("Home",)), Document("b", ("Home",))])
    path = write_lines(tmp_path / "f.jsonl", {"text": "Home", "label": [[0, 4, "ad"]]})
    rejects = Rejects()
    import_labels(path, "doccano", folder, annotator="ana", rejects=rejects)
    assert reasons(rejects) == ["line 1: it has no id, and its text is that of documents 'a' and 'b'"]
    assert labels_in(folder) == {}


def test_two_records_of_one_text_without_id_do_not_overwrite_each_other(tmp_path):
    both = [{"text": "Home", "label": [[0, 4, label]]} for label in ("ad", "ad", "content")]
    rejects = Rejects()
    path = write_lines(tmp_path / "f.jsonl", *both)
    import_labels(path, "doccano", tmp_path / "mine", annotator="ana", rejects=rejects)
    assert reasons(rejects) == ["line 3: it has no id, and line 1 labels the same text otherwise"]
    assert list(labels_in(tmp_path / "mine").values()) == [[1]]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("d,1,ad,a,ana\nd,2,ad,b,ana\nd,3,ad,c,\n", "row 3 names no annotator, though others do"),
        ("d,1,ad,a,ana\nd,2,ad,b,ana\nd,3,ad,c,anna\n", "its 1 rows lack line 1"),
        ("d,,ad,a,ana\nd,,ad,b,ana\nd,,ad,c,anna\n", "its text differs between its annotators ana, anna"),
    ],
)
def test_a_csv_page_with_rows_of_nobody_is_rejected_whole(rows, reason, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("doc_id,line,label,text,annotator\n" + rows + "e,1,ad,a,ana\n")
    rejects = Rejects()
    import_labels(path, "csv", tmp_path / "mine", rejects=rejects)
    assert reasons(rejects) == [f"rows 1 to 3, document 'd': {reason}"]
    assert list(load_collection(tmp_path / "mine").documents) == ["e"]


def test_a_csv_column_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("doc_id,label,text,label\nd,ad,a,content\n")
    with pytest.raises(LabelError, match="header has label more than once"):
        import_labels(path, "csv", tmp_path / "mine", annotator="ana")


def test_csv_rows_may_be_sorted_another_way(rich, tmp_path):
    head, *rows = csv.reader(io.StringIO(exported(rich, "csv").read_text(encoding="utf-8")))
    buffer = io.StringIO()
    csv.writer(buffer).writerows([head, *sorted(rows, key=lambda row: row[3])])
    path = tmp_path / "sorted.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    import_labels(path, "csv", tmp_path / "back")
    assert records(tmp_path / "back", "annotations") == records(rich, "annotations")
    assert load_collection(tmp_path / "back").documents["rich/1"].text == TEXT


def test_labels_of_texts_that_are_elsewhere_wait_for_them(rich, tmp_path):
    shutil.rmtree(rich / "documents")
    (rich / "corpus.json").write_text("{}")
    path = write_lines(tmp_path / "f.jsonl", {"text": "Home", "label": []})
    with pytest.raises(DatasetError, match="hydrate"):
        import_labels(path, "doccano", rich)


def test_predictions_are_suggestions(tmp_path):
    task = {
        "data": {"text": "Sale\nNow"},
        "predictions": [{"model_version": "m1", "score": 0.6, "result": [region(0, 8, "ad")]}],
    }
    assert read_tasks(tmp_path / "mine", task).count == 0
    [by_source] = read_suggestions(tmp_path / "mine").values()
    assert by_source["m1"].labels.tolist() == [1, 1]
    assert by_source["m1"].scores.round(2).tolist() == pytest.approx([0.6, 0.6])
