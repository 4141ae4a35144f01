"""The estimator: ``LineClassifier`` trains both stages with scikit-learn's conventions."""

from __future__ import annotations

from concurrent.futures import CancelledError
from numbers import Integral
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from boilerplate_ds.dataset.splits import group_of, known_site
from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.errors import DatasetError
from boilerplate_ds.features import Forest, LineBatch, context_features, markup_tokens, text_tokens
from boilerplate_ds.features.context import N_CONTEXT, READ_OF
from boilerplate_ds.features.layout import flat, trimmed
from boilerplate_ds.features.markup_tokens import MARKUP_BITS
from boilerplate_ds.features.text_tokens import TEXT_BITS
from boilerplate_ds.model import known_sites
from boilerplate_ds.model.hub import find_model
from boilerplate_ds.model.linear import N_OPINIONS, LinearModel, fit_linear, token_matrix
from boilerplate_ds.model.network import N_LABELS
from boilerplate_ds.model.network_training import Schedule, Targets, fit_network
from boilerplate_ds.model.persistence import load_with_facts, save_model
from boilerplate_ds.model.runtime import LineModel, Reading, chunks, required_document
from boilerplate_ds.model.trees import GROVES, Trees, fit_bag, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document, Labels
    from boilerplate_ds.model.linear import Tokens
    from boilerplate_ds.model.network import Network

    Progress = Callable[[str, float], None]

CLASS_WEIGHT = np.array([1.0, 2.2, 1.0, 1.6], dtype=np.float32)
"""Weight of a line's loss by its label: about the root of how rare the label is on whole pages."""
FOUR_CLASS_WEIGHT = 2.5
"""How much more a page counts whose four labels are known: such pages are few beside binary ones."""
FLAT = 3
"""One of so many training texts, by its hash, is read without blank lines and indentation, as many come."""
_MAX_WORDS = 200
_CONTEXT_ONLY = -128


class LineClassifier(BaseEstimator):  # type: ignore[misc]
    """Labels each line of a document, reading it in its context.

    Two linear models over hashed tokens (text; markup where there is any) read each line; a small
    convolutional network and, where there is enough to learn from, boosted trees read their opinions together
    with layout, shape, position, repetition and the element tree. What these are trained on are opinions of
    linear models that have not seen the line's site; the mean of those models is what reads new pages.

    Parameters
    ----------
    n_folds : int
        Folds, by group, for the out-of-fold opinions of the first stage; 2 or more.
    epochs : int or None
        Passes of the second stage over the data, 1 or more; None for 20 over a few hundred pages, and fewer
        over more, down to 9.
    random_state : int, RandomState instance or None
        As everywhere in scikit-learn; with an int the same pages give the same model.
    n_jobs : int
        Processes that fit the first stage's folds, then threads that fit the network and the trees, of which
        four find work.

    Attributes
    ----------
    model_ : LineModel
        The fitted model, the same object that cleaning runs on.
    classes_ : ndarray of int64, shape (4,)
        Class ids, in the order of :class:`~boilerplate_ds.document.Label`.
    sites_ : ndarray of uint32, shape (n_sites,)
        Hashes of the sites that it has learned from, of pages without one of their texts; see
        :meth:`has_learned_from`. Empty where a model does not say.
    """

    def __init__(
        self,
        *,
        n_folds: int = 5,
        epochs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int = 1,
    ) -> None:
        self.n_folds = n_folds
        self.epochs = epochs
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        documents: Sequence[Document],
        labels: Sequence[Labels],
        groups: Sequence[str] | None = None,
        *,
        progress: Progress | None = None,
    ) -> LineClassifier:
        """Train on labelled documents.

        Parameters
        ----------
        documents : sequence of Document
            With markup or without, in any mix. One that is there again (same id, lines and group, both with
            or both without markup, and separators), labelled once and reviewed once, is learned from once,
            with both answers; of answers that contradict each other the first counts.
        labels : sequence of array of int, each (n_lines,)
            Class ids; ``MAIN`` or ``NOT_MAIN`` for lines of which only that is known; lower for a line that
            is context only.
        groups : sequence of str, optional
            The site of each document; default its ``site``, else that of its ``url``, else its ``id``.
        progress : callable, optional
            Called with the name of a step and the share of it that is done; with more than one job, from
            other threads too.

        Raises
        ------
        DatasetError
            If labels do not fit their documents, or no line is labelled.
        TypeError
            If one of the documents is none.
        ValueError
            If a parameter is out of its range.
        """
        if self.n_folds < 2 or (self.epochs is not None and self.epochs < 1):
            raise ValueError(f"2 folds or more and 1 epoch or more, not {self.n_folds} and {self.epochs}")
        own = [group_of(d) for d in map(required_document, documents)]
        given = own if groups is None else list(groups)
        training = _TrainingLines.of(documents, _checked(documents, labels, given), given)
        tell = progress or (lambda _step, _done: None)
        text, markup, opinions = self._fit_linear(training, tell)
        features = _features(training, *opinions, tell)
        network, trees = self._fit_readers(features, training, tell)
        self.model_ = LineModel(text, markup, network, trees)
        self.classes_ = np.arange(N_LABELS)
        self.sites_ = known_sites.kept(known_sites.hashes_of(map(_origin, documents)))
        return self

    def _fit_linear(
        self, training: _TrainingLines, tell: Progress
    ) -> tuple[LinearModel, LinearModel | None, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Fit the linear models fold by fold: give the means of each, and their out-of-fold opinions."""
        from joblib import Parallel, delayed

        tell("Reading tokens", 0)
        text, markup = training.token_matrices()
        tell("Reading tokens", 1)
        folds = training.folds(self.n_folds)
        opinions = np.zeros((2, len(training.labels), N_OPINIONS), dtype=np.float32)
        kinds = ((text, training.reads_text), (markup, training.has_markup))
        # in one go, so that no core waits for the last of a kind
        jobs = (
            delayed(_fit_fold)(matrix, *training.supervision(lines & ~held_out))
            for matrix, lines in kinds
            for held_out in folds
        )
        models: tuple[list[LinearModel], list[LinearModel]] = [], []
        fitted = Parallel(n_jobs=self.n_jobs, return_as="generator")(jobs)
        for index, model in enumerate(fitted):
            kind, held_out = index // len(folds), folds[index % len(folds)]
            if model is not None:
                read = held_out & (training.has_markup | (kind == 0))
                models[kind].append(model)
                opinions[kind, read] = kinds[kind][0][read] @ model.weights + model.bias
            tell("Training the first stage", (index + 1) / (2 * len(folds)))
        means = [_mean(some) if some else None for some in models]
        if means[0] is None:
            raise DatasetError("no line is labelled; there is nothing to train on")
        return means[0], means[1], (opinions[0], opinions[1])

    def _fit_readers(
        self, features: NDArray[np.float32], training: _TrainingLines, tell: Progress
    ) -> tuple[Network, dict[str, Trees]]:
        """Fit the network, and those of the trees that there is enough to learn for, side by side.

        Each on one core, so that sums are the same however many there are.
        """
        from joblib import Parallel, delayed

        targets = training.targets()
        over = Event()
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = int(check_random_state(seed).randint(2**31))

        def tell_unless_over(done: float) -> None:
            if over.is_set():
                raise CancelledError
            tell("Training the second stage", done)

        network = delayed(fit_network)(
            features,
            training.ends,
            targets,
            views=training.views(),
            seed=seed,
            schedule=Schedule(epochs=self.epochs),
            progress=tell_unless_over,
        )
        names = [(grove, number) for grove, plan in GROVES.items() for number in range(plan.bags)]
        bags = [delayed(_fit_bag)(features, training.has_markup, targets, *name, seed=seed) for name in names]
        jobs = [network, *bags]  # what takes longest first: two cores end at about the same time
        fitted: list[Any] = []
        try:
            with threadpool_limits(1, user_api="blas"):
                side_by_side = Parallel(n_jobs=self.n_jobs, backend="threading", return_as="generator")
                for result in side_by_side(jobs):
                    fitted.append(result)
                    tell("Training trees", len(fitted) / len(jobs))
        finally:
            over.set()  # after an error or Ctrl-C the network's thread would go on to its end
        read: Network = fitted.pop(0)
        grown: dict[str, list[Trees | None]] = {}
        for (grove, _), bag in zip(names, fitted, strict=True):
            grown.setdefault(grove, []).append(bag)
        whole = {grove: [bag for bag in bags if bag is not None] for grove, bags in grown.items()}
        return read, {grove: joined(bags) for grove, bags in whole.items() if len(bags) == GROVES[grove].bags}

    def read(self, documents: Sequence[Document]) -> list[Reading]:
        """Give what the model says of each document: probabilities of labels and of main content."""
        return list(self._fitted().read(documents))

    def predict_proba(self, documents: Sequence[Document]) -> list[NDArray[np.float32]]:
        """Probability of each label for each line; one array of shape (n_lines, 4) a document."""
        return self._fitted().probabilities(documents)

    def _fitted(self) -> LineModel:
        if not hasattr(self, "model_"):
            raise NotFittedError("this LineClassifier is not fitted yet; call fit, or LineClassifier.load")
        model: LineModel = self.model_
        return model

    def predict(self, documents: Sequence[Document]) -> list[Labels]:
        """Most probable class id of each line; one array of int8, shape (n_lines,), a document."""
        return [p.argmax(axis=1).astype(np.int8) for p in self.predict_proba(documents)]

    def score(self, documents: Sequence[Document], labels: Sequence[Labels]) -> float:
        """Accuracy over all lines whose label is one of the four; ``DatasetError`` if there is none."""
        checked = _checked(documents, labels)
        if not any((given >= 0).any() for given in checked):
            raise DatasetError("no line has one of the four labels; there is nothing to score")
        gold = np.concatenate(checked)
        predicted = np.concatenate([*self.predict(documents), np.zeros(0, dtype=np.int8)])
        return float(np.mean(predicted[gold >= 0] == gold[gold >= 0]))

    def has_learned_from(self, documents: Sequence[Document]) -> NDArray[np.bool_]:
        """Tell which documents are of sites that the model was trained on; shape (n_documents,).

        Figures on them are better than on other pages. A page without a site is known by its text. Of more
        than 100,000 sites some are forgotten.
        """
        self._fitted()
        return np.isin(known_sites.hashes_of(map(_origin, documents)), self.sites_)

    def save(self, folder: str | Path, facts: Mapping[str, Any] | None = None) -> Path:
        """Write the model as arrays and JSON; see :mod:`boilerplate_ds.model.persistence`."""
        model = self._fitted()
        own = {"parameters": plain_parameters(self), "sites": known_sites.encoded(self.sites_)}
        return save_model(model, folder, own | dict(facts or {}))

    @classmethod
    def load(cls, model: str | Path) -> LineClassifier:
        """Read a model that :meth:`save` wrote; raises ``ModelError`` if it is not there or not sound.

        ``model`` is a folder, ``web`` for the shipped one, or a repository on the Hugging Face Hub:
        ``user/repo``, ``user/repo@revision``.
        The parameters are those that it was trained with, where it says them.
        """
        folder = find_model(model)
        classifier = cls()
        classifier.model_, facts = load_with_facts(folder)
        trained = facts.get("parameters")
        if isinstance(trained, dict):
            known = {"n_folds", "epochs", "random_state"}
            classifier.set_params(**{k: v for k, v in trained.items() if k in known and type(v) is int})
        classifier.classes_ = np.arange(N_LABELS)
        classifier.sites_ = known_sites.decoded(facts.get("sites"))
        return classifier


def plain_parameters(classifier: LineClassifier) -> dict[str, int | None]:
    """Give the parameters as JSON has them; None for a ``RandomState``, which no file can bring back."""
    return {k: int(v) if isinstance(v, Integral) else None for k, v in classifier.get_params().items()}


def _origin(document: Document) -> str:
    return known_site(required_document(document)) or document.text_sha256


def _shown(document: Document) -> Document:
    """Give a text without what nobody sees, one of ``FLAT`` texts without its layout, too."""
    read = trimmed(document)
    if document.markup is not None or not document.separators or int(document.text_sha256[:8], 16) % FLAT:
        return read
    return flat(read)


def _itself(document: Document) -> Document:
    return document


def _checked(
    documents: Sequence[Document], labels: Sequence[Labels], groups: Sequence[str] | None = None
) -> list[Labels]:
    if len(documents) != len(labels):
        raise DatasetError(f"{len(documents)} documents, but labels of {len(labels)}")
    if groups is not None and len(groups) != len(documents):
        raise DatasetError(f"{len(documents)} documents, but groups of {len(groups)}")
    checked = [np.asarray(given) for given in labels]
    for document, given in zip(map(required_document, documents), checked, strict=True):
        if given.shape != (len(document.lines),):
            raise DatasetError(
                f"{document.id}: {len(document.lines)} lines, but labels of shape {given.shape}"
            )
        if given.size and (given.dtype.kind not in "iu" or given.max() >= N_LABELS):
            found = given.max() if given.dtype.kind in "iu" else f"{given.dtype} such as {given[0]!r:.40}"
            raise DatasetError(
                f"{document.id}: labels are class ids (integers below {N_LABELS}), got {found}"
            )
    return [np.maximum(given, _CONTEXT_ONLY).astype(np.int8) for given in checked]


class _TrainingLines:
    """Lines of all training documents, with what the fit needs to know of each."""

    def __init__(
        self, documents: Sequence[Document], labels: Labels, main: Labels, groups: Sequence[str]
    ) -> None:
        self.labels = labels
        self.main = main
        self.groups = groups
        sizes = np.fromiter((len(d.lines) for d in documents), np.int64, len(documents))
        self.ends = np.concatenate(([0], np.cumsum(sizes)))
        self.document = np.repeat(np.arange(len(documents)), sizes)
        self.has_markup = np.fromiter((d.markup is not None for d in documents), bool, len(documents))[
            self.document
        ]
        self.words = np.zeros(len(labels))
        four = np.bincount(self.document, labels >= 0, minlength=len(documents)) > 0
        self.four, self.knows_four = four, four[self.document]
        # of a page in several views, the text model learns the first list of lines and the first text
        self.is_text = [bool(d.separators) for d in documents]
        teaches = np.bincount(self.document, labels >= MAIN, minlength=len(documents)) > 0
        keys = zip(documents, groups, self.is_text, strict=True)
        pages = [(d.id, group, is_text) for d, group, is_text in keys]
        plain = {
            pages[i]: i for i, d in reversed(list(enumerate(documents))) if d.markup is None and teaches[i]
        }
        self.is_read = np.array([plain.get(page, i) == i for i, page in enumerate(pages)])
        self.reads_text = self.is_read[self.document]
        self.documents = [_shown(document) for document in documents]

    @classmethod
    def of(
        cls, documents: Sequence[Document], labels: Sequence[Labels], groups: Sequence[str]
    ) -> _TrainingLines:
        """Take what has lines; a document that is there twice, with labels and reviewed, is taken once."""
        first: dict[tuple[object, ...], int] = {}
        four, main = [given.copy() for given in labels], [_reviewed(given) for given in labels]
        for i, document in enumerate(documents):
            kind = document.markup is None, bool(document.separators)
            own = first.setdefault((document.id, groups[i], *kind, document.lines), i)
            if own != i:
                main[own] = np.where(main[own] >= 0, main[own], main[i])
                four[own] = np.where(four[own] >= 0, four[own], labels[i])
                reviewed = np.where(main[own] == 1, MAIN, NOT_MAIN)
                four[own] = np.where((four[own] < 0) & (main[own] >= 0), reviewed, four[own])
        order = [i for i in first.values() if documents[i].lines]
        if not order:
            raise DatasetError("no line is labelled; there is nothing to train on")
        return cls(
            [documents[i] for i in order],
            np.concatenate([four[i] for i in order], dtype=np.int8),
            np.concatenate([main[i] for i in order], dtype=np.int8),
            [groups[i] for i in order],
        )

    def folds(self, n_folds: int) -> list[NDArray[np.bool_]]:
        """Masks of the lines that each fold holds out: whole groups; nothing where there is one group."""
        n = min(n_folds, len(set(self.groups)))
        if n < 2:
            return [np.zeros(len(self.labels), dtype=bool)]
        splits = GroupKFold(n).split(self.documents, groups=self.groups)
        return [np.isin(self.document, held_out) for _, held_out in splits]

    def token_matrices(self) -> tuple[Any, Any]:
        """Sparse matrices of text tokens and of markup tokens; counts words on the way."""
        from scipy.sparse import vstack

        text, markup, first = [], [], 0
        for chunk in chunks(self.documents, _itself):
            batch = LineBatch.of(chunk)
            rows = slice(first, first + batch.n_lines)
            self.words[rows] = np.bincount(batch.word_line, minlength=batch.n_lines)
            text.append(token_matrix(text_tokens(batch), 1 << TEXT_BITS))
            markup.append(token_matrix(_markup_tokens_of_all_lines(batch), 1 << MARKUP_BITS))
            first = rows.stop
        return vstack(text, format="csr"), vstack(markup, format="csr")

    def views(self) -> list[tuple[object, ...]]:
        """Say what each document is a view of: its page, with markup, as lines, as text or cut down."""
        keys = zip(self.documents, self.four.tolist(), self.is_read.tolist(), self.is_text, strict=True)
        return [
            (d.id, d.markup is not None, four, is_read, is_read and is_text)
            for d, four, is_read, is_text in keys
        ]

    def supervision(
        self, lines: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], Labels, Labels, NDArray[np.float64]]:
        """Index, label, main content and weight of those of ``lines`` of which any is known.

        Longer lines weigh more, long pages are held back, pages with four labels count double.
        """
        chosen = np.flatnonzero(lines & (self.labels >= MAIN))
        size = np.diff(self.ends)[self.document]
        weight = (((self.words + 1) / size) ** 0.25 * np.where(self.knows_four, 2.0, 1.0))[chosen]
        return (
            chosen,
            self.labels[chosen],
            self.main[chosen],
            weight / max(weight.mean(), 1e-9) if len(chosen) else weight,
        )

    def targets(self) -> Targets:
        """Give what each line teaches, and how much it counts.

        Where a page was reviewed for its main content, half of a line's weight goes by words, as F1 does.
        """
        sizes = np.diff(self.ends)
        words = np.minimum(self.words, _MAX_WORDS) + 1
        mean = np.bincount(self.document, words, minlength=len(sizes)) / np.maximum(sizes, 1)
        by_words = 0.5 + 0.5 * words / mean[self.document]
        held_back = 1 / np.sqrt(sizes[self.document])
        by_label = FOUR_CLASS_WEIGHT * CLASS_WEIGHT[np.maximum(self.labels, 0)]
        return Targets(
            self.labels,
            self.main,
            (held_back * np.where(self.labels >= 0, by_label, by_words)).astype(np.float32),
            (held_back * np.where(self.main >= 0, by_words, by_label)).astype(np.float32),
        )


def _reviewed(labels: Labels) -> Labels:
    """1 for main content, 0 for the rest, -1 where lines were not reviewed for that."""
    return np.select([labels == MAIN, labels == NOT_MAIN], [1, 0], -1).astype(np.int8)


def _fit_fold(
    matrix: Any, chosen: NDArray[np.int64], labels: Labels, main: Labels, weight: NDArray[np.float64]
) -> LinearModel | None:
    if not len(chosen):
        return None
    model = fit_linear(matrix[chosen], labels, main, weight)
    return _as_saved(model.weights, model.bias)


def _mean(models: Sequence[LinearModel]) -> LinearModel:
    """Give one model with the mean of the opinions of several."""
    weights, bias = (np.mean([getattr(m, name) for m in models], axis=0) for name in ("weights", "bias"))
    return _as_saved(weights, bias)


def _as_saved(weights: NDArray[np.float32], bias: NDArray[np.float32]) -> LinearModel:
    """Round weights to half precision, in which they are saved: what is measured is what is used."""
    return LinearModel(weights.astype(np.float16).astype(np.float32), bias.astype(np.float32))


def _fit_bag(
    features: NDArray[np.float32],
    has_markup: NDArray[np.bool_],
    targets: Targets,
    grove: str,
    number: int,
    *,
    seed: int,
) -> Trees | None:
    """Fit one of a grove's bags to the lines that teach it."""
    kind, _, question = grove.partition(".")
    known, weight = {
        "main": (targets.main, targets.main_weight),
        "labels": (targets.labels, targets.label_weight),
    }[question]
    lines = np.flatnonzero((known >= 0) & (has_markup == (kind == "markup")))
    read = features[:, READ_OF[kind]]
    return fit_bag(read, lines, known[lines], weight[lines], grove=grove, number=number, seed=seed)


def _markup_tokens_of_all_lines(batch: LineBatch) -> Iterator[Tokens]:
    """Markup tokens with an empty row for each line that has no markup."""
    forest = Forest.of(batch)
    if forest is None:
        yield np.zeros(0, dtype=np.int64), np.zeros(batch.n_lines + 1, dtype=np.int64)
        return
    for buckets, ends in markup_tokens(forest, batch):
        count = np.zeros(batch.n_lines, dtype=np.int64)
        count[forest.rows] = np.diff(ends)
        yield buckets, np.concatenate(([0], np.cumsum(count)))


def _features(
    training: _TrainingLines, text: NDArray[np.float32], markup: NDArray[np.float32], tell: Progress
) -> NDArray[np.float32]:
    features, first = np.zeros((len(training.labels), N_CONTEXT), dtype=np.float32), 0
    for chunk in chunks(training.documents, _itself):
        batch = LineBatch.of(chunk)
        rows = slice(first, first + batch.n_lines)
        part = context_features(batch, Forest.of(batch), text[rows], markup[rows])
        features[rows, : part.shape[1]] = part
        first = rows.stop
        tell("Reading context", first / len(training.labels))
    return features
