"""The estimator follows scikit-learn's conventions and reads documents of any kind."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from boilerplate_ds import Document, LineClassifier
from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.features.context import N_CONTEXT
from boilerplate_ds.features.lines import MAX_READ
from boilerplate_ds.model import classifier, runtime
from boilerplate_ds.model.classifier import _TrainingLines
from boilerplate_ds.model.trees import LEAVES, TESTS, Trees

PAGE = '<nav class="menu"><a href="/">Home</a></nav><main><p>The ferry runs every hour from May.</p></main>'


def test_parameters_are_stored_as_given_and_cloned():
    estimator = LineClassifier(n_folds=3, epochs=2, random_state=7, n_jobs=2)
    assert clone(estimator).get_params() == {"n_folds": 3, "epochs": 2, "random_state": 7, "n_jobs": 2}


@pytest.mark.parametrize("wrong", [{"n_folds": 1}, {"epochs": 0}])
def test_parameters_out_of_range_are_refused(wrong, small_set):
    with pytest.raises(ValueError, match="2 folds or more and 1 epoch or more"):
        LineClassifier(**wrong).fit(*small_set)


def test_any_random_state_of_scikit_learn_will_do(small_set):
    documents, labels = small_set[0][:8], small_set[1][:8]
    for state in (None, np.random.RandomState(0)):
        LineClassifier(epochs=1, n_folds=2, random_state=state).fit(documents, labels)


def test_a_model_knows_the_sites_it_has_learned_from_when_it_is_loaded_too(small_model, small_set, tmp_path):
    known = small_set[0][:2]
    other = replace(known[0], id="other", site="other.example")
    shouted = replace(known[0], id="other", site=known[0].site.upper())
    nameless = Document.from_text("One line", id=known[0].id)
    loaded = LineClassifier.load(small_model.save(tmp_path / "model"))
    for model in (small_model, loaded):
        known_again = model.has_learned_from([*known, other, shouted, nameless])
        assert known_again.tolist() == [True, True, False, True, False]
        assert model.has_learned_from([]).shape == (0,)
    with pytest.raises(NotFittedError):
        LineClassifier().has_learned_from(known)


def test_a_page_without_a_site_is_known_by_its_text(small_set):
    documents = [replace(document, site="", url="") for document in small_set[0]]
    model = LineClassifier(epochs=1, n_folds=2).fit(documents, small_set[1])
    same_text, same_name = replace(documents[0], id="x"), replace(documents[0], lines=("Another page",))
    assert model.has_learned_from([same_text, same_name]).tolist() == [True, False]


@pytest.mark.parametrize("written", ["not base64!", "AAA=", "AAAAAAA=", "é", 7, None, ["AAAA"], ""])
def test_sites_that_a_config_tells_wrongly_are_none(small_model, small_set, written, tmp_path):
    config = small_model.save(tmp_path / "model") / "config.json"
    told = json.loads(config.read_text())
    told["facts"]["sites"] = written
    config.write_text(json.dumps(told))
    assert not LineClassifier.load(config.parent).has_learned_from(small_set[0]).any()


def test_a_loaded_model_knows_what_it_was_trained_with(small_model, tmp_path):
    small_model.save(tmp_path / "first")
    loaded = LineClassifier.load(tmp_path / "first")
    assert loaded.get_params() == {**small_model.get_params(), "n_jobs": 1}
    config = json.loads((tmp_path / "first" / "config.json").read_text())
    config["facts"]["parameters"] = {"epochs": "many", "random_state": 5, "n_jobs": 999, "model_": 1}
    (tmp_path / "first" / "config.json").write_text(json.dumps(config))
    strange = LineClassifier.load(tmp_path / "first").get_params()
    assert strange == {**LineClassifier().get_params(), "random_state": 5}


def test_what_is_no_document_is_named(small_model):
    with pytest.raises(TypeError, match=r"a Document is read, not str; Document\.from_text"):
        small_model.predict(["a text"])
    for groups in (None, ["a"]):
        with pytest.raises(TypeError, match=r"a Document is read, not str; Document\.from_text"):
            LineClassifier().fit(["a text"], [[0]], groups)
    with pytest.raises(TypeError, match="a Document is read, not str"):
        small_model.score(["a text"], [[0]])


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["content", "ad"], "got <U7 such as"),
        ([0.5, 1.0], "got float64 such as"),
        ([0, 4], "got 4"),
    ],
)
def test_labels_that_are_no_class_ids_are_named(labels, found):
    with pytest.raises(DatasetError, match=rf"page: labels are class ids .*{found}"):
        LineClassifier().fit([Document(id="page", lines=("a", "b"))], [labels])


def test_a_label_of_context_may_be_any_low_number(small_model, small_set):
    documents, labels = small_set
    low = [np.where(given == 0, -100, given) for given in labels]
    lower = [np.where(given == 0, -253, given.astype(np.int64)) for given in labels]
    assert small_model.score(documents, lower) == small_model.score(documents, low)
    with pytest.raises(DatasetError, match="nothing to score"):
        small_model.score(documents[:1], [np.full(len(documents[0].lines), -253)])


def test_predicting_before_fitting_is_an_error():
    with pytest.raises(NotFittedError, match="fit"):
        LineClassifier().predict([Document.from_text("a")])
    with pytest.raises(NotFittedError, match="fit"):
        LineClassifier().save("nowhere")


def test_it_learns_what_it_was_shown(small_model, small_set):
    assert small_model.score(*small_set) > 0.75
    assert small_model.classes_.tolist() == [0, 1, 2, 3]


def test_when_the_trees_fail_the_network_does_not_go_on(small_set, monkeypatch):
    begun, ended = Event(), Event()

    def endless(*_args, progress, **_more):
        try:
            while True:
                progress(0.5)
                begun.set()
        finally:
            ended.set()

    def failing(*_args, **_more):
        assert begun.wait(60)
        raise MemoryError

    monkeypatch.setattr(classifier, "fit_network", endless)
    monkeypatch.setattr(classifier, "fit_bag", failing)
    with pytest.raises(MemoryError), parallel_config(backend="threading"):
        LineClassifier(n_folds=2, n_jobs=2).fit(*small_set)  # a thread for the network, another for trees
    assert ended.wait(60)


def test_probabilities_have_one_row_a_line_and_sum_to_one(small_model):
    documents = [Document.from_text("One line"), Document.from_text(""), Document.from_html(PAGE)]
    probabilities = small_model.predict_proba(documents)
    assert [p.shape for p in probabilities] == [(1, 4), (0, 4), (2, 4)]
    for p in probabilities:
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert small_model.predict([]) == []


def test_predict_is_the_most_probable_label(small_model, small_set):
    documents = small_set[0][:5]
    for labels, p in zip(small_model.predict(documents), small_model.predict_proba(documents), strict=True):
        assert labels.tolist() == p.argmax(axis=1).tolist()


def test_a_document_reads_the_same_alone_and_in_company(small_model, small_set):
    documents = small_set[0]
    together = small_model.predict_proba(documents)
    for document, p in zip(documents[:5], together, strict=False):
        np.testing.assert_array_equal(small_model.predict_proba([document])[0], p)


def test_the_same_data_gives_the_same_model(small_set):
    documents, labels = small_set[0][:8], small_set[1][:8]
    first, second = (LineClassifier(epochs=1, n_folds=2).fit(documents, labels).model_ for _ in range(2))
    assert (first.text.weights == second.text.weights).all()
    for name, values in first.network.parameters.items():
        assert (values == second.network.parameters[name]).all(), name


@pytest.mark.parametrize("n_lines", [1, 2, 50_000])
@pytest.mark.parametrize(
    "line", ["The ferry runs every hour.", "次の便は一時間ごとに出ます。", "العبارة تعمل كل ساعة", "· 12 ·"]
)
def test_documents_of_any_length_and_script_are_read(small_model, n_lines, line):
    p = small_model.predict_proba([Document(id="x", lines=(line,) * n_lines)])[0]
    assert p.shape == (n_lines, 4)
    assert np.isfinite(p).all()


def test_a_model_of_plain_text_reads_html_as_text(small_model):
    page = Document.from_html(PAGE)
    with_markup, without = small_model.predict_proba([page, page.without_markup()])
    np.testing.assert_allclose(with_markup, without, atol=1e-6)


def test_a_long_document_is_read_in_pieces_that_fit_together(small_model, monkeypatch):
    lines = tuple(f"Line number {i} of a page about ferries, long and even." for i in range(500))
    whole = small_model.read([Document(id="a", lines=lines)])[0]
    monkeypatch.setattr(runtime, "PIECE", 120)
    monkeypatch.setattr(runtime, "OVERLAP", 60)
    for document in (Document(id="a", lines=lines), Document.from_html("".join(f"<p>{x}" for x in lines))):
        pieces = small_model.read([document, Document(id="b", lines=("x",))])
        assert [len(reading.main) for reading in pieces] == [500, 1]
        assert pieces[0].words.tolist() == whole.words.tolist()
        np.testing.assert_allclose(pieces[0].labels.sum(axis=1), 1, atol=1e-5)


def test_one_blank_line_or_a_common_indentation_changes_nothing(small_model):
    lines = [f"Line number {i} of a page about ferries, long and even." for i in range(100)]
    flat, titled, quoted = small_model.read(
        [
            Document.from_text("\n".join(lines)),
            Document.from_text(lines[0] + "\n\n" + "\n".join(lines[1:])),
            Document.from_text("\n".join("        " + line for line in lines)),
        ]
    )
    for other in (titled, quoted):
        np.testing.assert_array_equal(other.labels, flat.labels)
        np.testing.assert_array_equal(other.main, flat.main)


def test_what_follows_the_first_characters_of_a_line_says_nothing_new(small_model):
    start = ("ferry timetable " * (MAX_READ // 16))[:-1] + "s"
    short, long = small_model.predict_proba(
        [Document(id=e, lines=("Home", start + e)) for e in ("", "x" * 99)]
    )
    np.testing.assert_allclose(short, long, atol=1e-6)


def test_binary_supervision_teaches_content_and_leaves_the_rest_open():
    pages = [
        Document(
            id=str(i),
            site=str(i),
            lines=("Home News Sport", f"The ferry number {i} was late again, people said.") * 4,
        )
        for i in range(12)
    ]
    labels = [np.array([NOT_MAIN, MAIN] * 4)] * 12
    reading = LineClassifier(epochs=20, n_folds=3).fit(pages, labels).read(pages[:1])[0]
    for p in (reading.main, reading.labels[:, 0]):
        assert (p[1::2] > 0.8).all()
        assert (p[::2] < 0.2).all()


def test_lines_below_main_are_context_only():
    pages = [
        Document(id=str(i), site=str(i), lines=("Menu", "Text of the page, a sentence.", "Unknown"))
        for i in range(6)
    ]
    model = LineClassifier(epochs=2, n_folds=2).fit(pages, [np.array([2, 0, -3])] * 6)
    assert model.predict_proba(pages)[0].shape == (3, 4)


def test_html_and_text_train_one_model():
    html = [Document.from_html(PAGE, id=f"h{i}", site=str(i)) for i in range(6)]
    text = [Document.from_text("Home\nThe ferry runs every hour.", id=f"t{i}", site=str(i)) for i in range(6)]
    model = LineClassifier(epochs=10, n_folds=3).fit(html + text, [np.array([2, 0])] * 12)
    assert model.model_.markup is not None
    for document in (html[0], text[0]):
        assert model.predict([document])[0].tolist() == [2, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([np.array([0])], "2 lines, but labels of shape"),
        ([np.array([0, 4])], r"integers below 4\), got 4"),
        ([np.array([0.0, 1.0])], r"integers below 4\), got float64"),
        ([], "1 documents, but labels of 0"),
        ([np.array([-3, -3])], "nothing to train on"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(DatasetError, match=message):
        LineClassifier(n_folds=2).fit([Document(id="a", lines=("x", "y"))], labels)


def test_documents_without_lines_and_wrong_groups_are_refused(small_set):
    empty = [Document(id="a", lines=())]
    for documents, labels in (([], []), (empty, [np.zeros(0, dtype=np.int8)])):
        with pytest.raises(DatasetError, match="nothing to train on"):
            LineClassifier().fit(documents, labels)
    with pytest.raises(DatasetError, match="30 documents, but groups of 1"):
        LineClassifier().fit(*small_set, groups=["a"])


def test_pages_that_name_only_their_url_are_grouped_by_its_site(small_set):
    documents, labels = small_set
    urls = [f"https://www.site{i // 10}.example/{i}" for i in range(len(documents))]
    known = [replace(d, url=url, site="") for d, url in zip(documents, urls, strict=True)]
    model, other = (
        LineClassifier(epochs=1, n_folds=3).fit(known, labels, groups=groups)
        for groups in (None, [f"site{i // 10}.example" for i in range(len(documents))])
    )
    assert (model.model_.text.weights == other.model_.text.weights).all()


def test_groups_may_be_an_array(small_set):
    groups = np.array([f"g{i % 4}" for i in range(len(small_set[0]))])
    assert LineClassifier(epochs=1, n_folds=2).fit(*small_set, groups=groups).predict(small_set[0][:1])


def test_the_first_stage_is_the_mean_of_its_folds_and_one_group_is_learned_from_whole(small_set, monkeypatch):
    fitted = []
    fit = classifier._fit_fold
    monkeypatch.setattr(classifier, "_fit_fold", lambda *given: fitted.append(fit(*given)) or fitted[-1])
    documents, labels = small_set
    groups = [f"group {i % 3}" for i in range(len(documents))]
    model = LineClassifier(epochs=1, n_folds=5).fit(documents, labels, groups=groups)
    assert len(fitted) == 2 * 3
    np.testing.assert_allclose(
        model.model_.text.weights, np.mean([m.weights for m in fitted[:3]], axis=0), rtol=1e-3, atol=1e-6
    )
    fitted.clear()
    alone = LineClassifier(epochs=1).fit(documents, labels, groups=["one"] * len(documents))
    assert np.array_equal(alone.model_.text.weights, fitted[0].weights)
    assert alone.model_.text.weights.any()


def test_a_group_is_never_split_over_folds(small_set):
    documents, labels = small_set
    groups = [f"group {i % 5}" for i in range(len(documents))]
    lines = _TrainingLines.of(documents, labels, groups)
    for held_out in lines.folds(3):
        inside = {groups[d] for d in lines.document[held_out]}
        outside = {groups[d] for d in lines.document[~held_out]}
        assert not inside & outside


def test_a_document_labelled_and_reviewed_is_learned_from_once():
    page = Document(id="p", lines=("Home", "A story.", "Sponsored", "?"))
    other = Document(id="q", lines=page.lines)
    labels = [np.array([2, 0, 1, -3]), np.array([NOT_MAIN, MAIN, MAIN, NOT_MAIN]), np.array([2, 0, 1, 0])]
    lines = _TrainingLines.of(
        [page, page, other], [given.astype(np.int8) for given in labels], ["p", "p", "q"]
    )
    assert [document.id for document in lines.documents] == ["p", "q"]
    assert lines.labels.tolist() == [2, 0, 1, NOT_MAIN, 2, 0, 1, 0]
    assert lines.main.tolist() == [0, 1, 1, 0, -1, -1, -1, -1]
    targets = lines.targets()
    assert (targets.label_weight[[0, 1, 2]] == targets.label_weight[[4, 5, 6]]).all()
    assert (targets.main_weight[:4] != targets.main_weight[4:]).all()


def test_a_page_is_learned_from_as_lines_and_as_text_whatever_else_is_there_of_it():
    lines = Document(id="p", lines=("Home", "A story."))
    text = Document.from_text("Home\n\nA story.", id="p")
    cut, residue = Document(id="p", lines=("A story.",)), Document.from_text("A story.\n", id="p")
    labels = [np.zeros(len(d.lines), dtype=np.int8) for d in (lines, cut, text, residue)]
    training = _TrainingLines.of([lines, cut, text, residue], labels, ["p"] * 4)
    assert training.is_read.tolist() == [True, False, True, False]
    views = training.views()
    assert views[1] == views[3]
    assert len(set(views)) == 3


def test_a_page_of_context_alone_hides_no_labelled_one_of_its_id(small_set):
    documents, labels = small_set
    context = Document.from_text("Some other text", id=documents[0].id)
    unknown = np.full(1, -3, dtype=np.int8)
    texts = [Document.from_text("\n".join(d.lines), id=d.id, site=d.site) for d in documents]
    fitted = LineClassifier(epochs=1).fit([context, *texts], [unknown, *labels])
    assert fitted.model_.text.weights.any()
    training = _TrainingLines.of([context, texts[0]], [unknown, labels[0]], ["a", "a"])
    assert training.is_read.tolist() == [False, True]


def test_of_answers_that_contradict_each_other_the_first_counts():
    page = Document(id="p", lines=("a", "b", "c"))
    given = [[MAIN, 0, 2], [NOT_MAIN, 2, 0], [1, -3, MAIN]]
    labels = [np.array(answers, dtype=np.int8) for answers in given]
    lines = _TrainingLines.of([page] * 3, labels, ["p"] * 3)
    assert lines.main.tolist() == [1, -1, 1]
    assert lines.labels.tolist() == [1, 0, 2]
    apart = _TrainingLines.of([page] * 3, labels, ["p", "q", "r"])
    assert len(apart.documents) == 3


@pytest.mark.parametrize(
    ("main", "content", "stays"),
    [
        (0.45, 0.97, True),
        (0.45, 0.90, False),
        (0.35, 0.97, False),
        (0.37, 0.30, True),
        (0.37, 0.10, False),
        (0.45, 0.10, True),
    ],
)
def test_a_label_without_doubt_decides_a_close_call_and_nothing_else(main, content, stays):
    surest = 0.97 if content > 0.5 else 0.5  # of what the page's bar is lowest for
    likely = np.array([surest, main, 0.02], dtype=np.float32)
    content = np.array([0.9, content, 0.01], dtype=np.float32)
    labels = np.column_stack((content, np.zeros((3, 2), np.float32), 1 - content))
    reading = runtime.Reading(labels, likely, np.array([400, 8, 3]))
    assert reading.chosen().tolist() == [True, stays, False]


def test_no_label_takes_the_last_line_that_is_left():
    labels = np.array([[0.1, 0, 0.9, 0], [0.0, 0, 1, 0]], dtype=np.float32)
    reading = runtime.Reading(labels, np.array([0.5, 0.02], dtype=np.float32), np.array([20, 1]))
    assert reading.chosen().tolist() == [True, False]


def expected_f1(kept: set, main: np.ndarray, words: np.ndarray) -> float:
    """Word F1 averaged over reviewers who each take the lines above a bar of their own."""

    def mass(lines: set) -> float:
        return float(sum(words[i] for i in lines))

    reviewers = [{i for i, p in enumerate(main) if p >= bar} for bar in (np.arange(500) + 0.5) / 500]
    return float(np.mean([2 * mass(kept & r) / max(mass(kept) + mass(r), 1) for r in reviewers]))


def undecided(n: int) -> np.ndarray:
    """Labels that leave the choice to what is main content."""
    return np.full((n, 4), [[0.5, 0.0, 0.5, 0.0]], dtype=np.float32)


def test_lines_are_chosen_for_reviewers_who_take_more_or_less():
    rng = np.random.default_rng(0)
    for _ in range(30):
        n = int(rng.integers(1, 12))
        main = rng.random(n).astype(np.float32)
        main[0] = max(main[0], 0.5)
        words = rng.integers(1, 60, n)
        reading = runtime.Reading(undecided(n), main, words)
        chosen = set(np.flatnonzero(reading.chosen()).tolist())
        assert {i for i in range(n) if main[i] > 0.5} <= chosen
        bars = [b for b in [0.0, *main.tolist()] if b <= 0.5] + [0.5]
        best = max(expected_f1({i for i in range(n) if main[i] >= bar}, main, words) for bar in bars)
        assert expected_f1(chosen, main, words) > best - 0.002


def test_a_long_part_that_half_of_the_reviewers_leave_out_stays_with_a_short_sure_one():
    main = np.array([0.9, 0.44, 0.42, 0.3], dtype=np.float32)
    words = np.array([20, 200, 200, 10])
    reading = runtime.Reading(undecided(4), main, words)
    assert reading.chosen().tolist() == [True, False, False, False]


def test_a_page_without_likely_lines_keeps_what_its_label_keeps_and_lines_without_words_do_no_harm():
    labels = np.zeros((3, 4), dtype=np.float32)
    unlikely = np.array([0.1, 0.19, 0.05], dtype=np.float32)
    assert not runtime.Reading(labels, unlikely, np.array([5, 5, 5])).chosen().any()
    labels[1, 0] = 0.6
    assert runtime.Reading(labels, unlikely, np.array([5, 5, 5])).chosen().tolist() == [False, True, False]
    no_numbers = np.full(3, np.nan, dtype=np.float32)
    assert not runtime.Reading(labels, no_numbers, np.array([5, 5, 5])).chosen().any()
    likely = np.array([0.9, 0.02, 0.01], dtype=np.float32)
    wordless = np.zeros(3, dtype=np.int64)
    assert runtime.Reading(labels, likely, wordless).chosen().tolist() == [True, False, False]


def test_trees_are_asked_where_the_network_leaves_doubt():
    always = Trees(
        feature=np.zeros((4, TESTS), dtype=np.uint8),
        threshold=np.full((4, TESTS), np.inf, dtype=np.float32),
        out=np.zeros((4, TESTS), dtype=np.uint32),
        value=np.zeros((4, LEAVES), dtype=np.int32),
        bias=np.array([9, 0, 0, 0], dtype=np.float32),
    )
    text, markup = (replace(always, bias=np.array([bias], dtype=np.float32)) for bias in (-9, 5))
    groves = {"markup.labels": always, "text.labels": always, "text.main": text, "markup.main": markup}
    model = runtime.LineModel(None, None, None, groves)
    given = np.zeros((5, 5), dtype=np.float32)
    given[:, 2] = [4, 2.4, 4, 0, 0]
    given[:, 4] = [3, -3, 1, -2, 2]
    features = np.zeros((5, N_CONTEXT), dtype=np.float32)

    logits = given.copy()
    model._mix_trees(logits, features, None)
    assert logits[:, 4].tolist() == [3, -3, -4, -5.5, -3.5]
    np.testing.assert_allclose(logits[:, 0], [0, 0, 0, 2.7, 2.7], rtol=1e-6)  # they weigh 0.3,
    np.testing.assert_allclose(logits[:, 2], [4, 2.4, 4, 0, 0], rtol=1e-6)  # so a lead of 2.4 is enough

    logits = given.copy()
    model._mix_trees(logits, features, SimpleNamespace(rows=np.array([0, 1, 4])))
    assert logits[:, 4].tolist() == [3, -3, -4, -5.5, 3.5]
    np.testing.assert_allclose(logits[:, 0], [0, 4.5, 0, 2.7, 4.5], rtol=1e-6)  # and here one half
