"""Suggestions: what a source said last is what a session shows, and bad records are named."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate_ds.errors import LabelError, Rejects
from boilerplate_ds.labeling.suggestions import Suggestion, append_suggestion, read_suggestions

SHA = "0" * 64


def suggestion(source: str, labels: list[int], scores: list[float]) -> Suggestion:
    return Suggestion("page", SHA, source, np.array(labels, np.int8), np.array(scores, np.float32))


def test_the_last_suggestion_of_each_source_counts(tmp_path):
    append_suggestion(tmp_path, suggestion("rules", [0, 1], [0.5, 0.6]))
    append_suggestion(tmp_path, suggestion("rules", [2, 3], [0.7, 0.8]))
    append_suggestion(tmp_path, suggestion("model-web", [0, 0], [0.9, 1.0]))
    by_source = read_suggestions(tmp_path)["page"]
    assert by_source["rules"].labels.tolist() == [2, 3]
    assert by_source["model-web"].scores.tolist() == pytest.approx([0.9, 1.0])


def test_a_suggestion_that_does_not_fit_itself_is_not_stored(tmp_path):
    with pytest.raises(LabelError, match="scores are not 2 numbers"):
        append_suggestion(tmp_path, suggestion("rules", [0, 1], [0.5]))
    assert read_suggestions(tmp_path) == {}


def test_bad_records_are_named_and_the_rest_is_read(tmp_path):
    append_suggestion(tmp_path, suggestion("rules", [0], [0.5]))
    path = tmp_path / "suggestions" / "rules.jsonl"
    with path.open("a") as file:
        file.write('{"doc_id": "other", "labels": "1x"}\n')
    rejects = Rejects()
    assert list(read_suggestions(tmp_path, rejects)) == ["page"]
    assert rejects.items[0].record == "line 2"
