"""``Cleaner``: the released model (or yours) in one line of code."""

from __future__ import annotations

import hashlib
import os
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds import __version__
from boilerplate_ds.document import Document, Label, LabeledLine
from boilerplate_ds.model import LineModel, load_model
from boilerplate_ds.model.hub import find_model
from boilerplate_ds.model.persistence import CONFIG
from boilerplate_ds.shipped import RELEASED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from boilerplate_ds.model.runtime import Reading

BOILERPLATE = (Label.AD, Label.NAVIGATION, Label.RECOMMENDATION)


class _Loading:
    """Lets one thread at a time load a model.

    A process forked while another thread loads would find the lock held by a thread that it does not have, so
    it starts with a new one.
    """

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.lock = Lock()


_loading = _Loading()


class Cleaner:
    r"""Drops the lines of a page that are not content.

    Kept lines are never altered and never reordered. One cleaner may be shared by threads; a copy sent to
    another process loads the model there.

    Parameters
    ----------
    model : str or Path
        Name of a shipped model, a folder that ``LineClassifier.save`` wrote, or a repository on the Hugging
        Face Hub: ``user/repo`` or ``user/repo@revision``.
    drop : iterable of Label or str, or one of them
        The labels that go; with ``drop=()`` cleaning gives its input back.
    threshold : float, optional
        How sure to be: a line goes when its probability of having a label in ``drop`` is above this
        (0 to 1); higher loses less content, lower keeps less boilerplate. By default each page sets its own,
        0.5 or higher, so that the words kept are expected to be nearest to its main content
        (:meth:`~boilerplate_ds.model.runtime.Reading.chosen`); for other labels in ``drop`` it is 0.5.

    Raises
    ------
    ModelError
        If ``model`` is not there or not sound.
    LabelError
        If ``drop`` names an unknown label.

    Examples
    --------
    >>> from boilerplate_ds import Cleaner
    >>> cleaner = Cleaner(drop=())
    >>> cleaner.clean("Home | News\n\nThe ferry is late.\n")
    'Home | News\n\nThe ferry is late.\n'
    """

    def __init__(
        self,
        model: str | Path = RELEASED,
        *,
        drop: Iterable[Label | str] | Label | str = BOILERPLATE,
        threshold: float | None = None,
    ) -> None:
        drop = [drop] if isinstance(drop, str | Label) else drop
        named = {Label.parse(label) for label in drop}
        self.drop = tuple(label for label in Label if label in named)
        self.threshold = None if threshold is None else float(threshold)
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a probability from 0 to 1, not {threshold}")
        self.model_path = find_model(model)
        self._model: LineModel | None = None

    def __repr__(self) -> str:
        drop = tuple(map(str, self.drop))
        return f"Cleaner({str(self.model_path)!r}, drop={drop}, threshold={self.threshold})"

    def __getstate__(self) -> dict[str, Any]:
        """Give what makes two cleaners equal: Hugging Face ``datasets`` names its cached results by it."""
        settings = {"model_path": self.model_path, "drop": self.drop, "threshold": self.threshold}
        return settings | {"fingerprint": self.fingerprint}

    def __setstate__(self, state: dict[str, Any]) -> None:
        settings = {name: value for name, value in state.items() if name != "fingerprint"}
        self.__dict__.update(settings, _model=None)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the cleaner would do: program version, model, labels to drop, threshold."""
        parts = (__version__, (self.model_path / CONFIG).read_text("utf-8"), self.drop, self.threshold)
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def model(self) -> LineModel:
        """The model, loaded when it is first needed."""
        if self._model is None:
            with _loading.lock:
                if self._model is None:
                    self._model = load_model(self.model_path)
        return self._model

    def clean(self, text: str) -> str:
        """Give the lines of a page's text that are content."""
        return self.clean_documents([Document.from_text(text, id="")])[0]

    def clean_html(self, html: str | bytes | bytearray | memoryview) -> str:
        """Give the lines of a page of HTML that are content.

        Raises
        ------
        SourceError
            If the page is too large to be read.
        TypeError
            If ``html`` is neither text nor bytes.
        """
        return self.clean_documents([Document.from_html(html, id="")])[0]

    def clean_documents(self, documents: Iterable[Document]) -> list[str]:
        """Give the text of each document without the lines to drop."""
        documents = list(documents)
        return [document.select(keep) for document, keep in zip(documents, self.keep(documents), strict=True)]

    def clean_batch(self, texts: Iterable[str], *, n_jobs: int | None = 1) -> list[str]:
        """Clean many texts at once, which is faster than one after another.

        Parameters
        ----------
        texts : iterable of str
        n_jobs : int, optional
            Processes to share the work; -1 for one a core, None for one.

        Raises
        ------
        TypeError
            If one of the texts is no string.
        """
        if isinstance(texts, str):
            raise TypeError("a list of texts is cleaned, not a string; for one text there is clean")
        texts = list(texts)
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"text {number} is {type(text).__name__}, not a string")
        if n_jobs in (None, 1) or len(texts) < 2:
            return self.clean_documents([Document.from_text(text, id="") for text in texts])
        from joblib import Parallel, cpu_count, delayed

        parts = min(len(texts), 4 * (cpu_count() if n_jobs < 0 else n_jobs))
        bounds = np.linspace(0, len(texts), parts + 1).astype(int).tolist()
        jobs = (delayed(self.clean_batch)(texts[a:b]) for a, b in pairwise(bounds))
        return [text for part in Parallel(n_jobs=n_jobs)(jobs) for text in part]

    def map_batch(self, batch: dict[str, list[Any]], *, text_column: str = "text") -> dict[str, list[Any]]:
        """Clean a column of a batch: ``dataset.map(cleaner.map_batch, batched=True)``.

        Parameters
        ----------
        batch : dict of str to list
            As Hugging Face ``datasets`` passes it; missing texts (None, NaN, pandas' NA) stay as they are.
        text_column : str
            The column to clean; pass another by ``fn_kwargs={"text_column": ...}``.

        Raises
        ------
        KeyError
            If there is no such column.
        TypeError
            If the column holds anything but strings and missing texts, or one string: ``batched=True`` was
            left out.
        """
        if text_column not in batch:
            raise KeyError(
                f"no column {text_column!r} among {sorted(batch)}; pass fn_kwargs={{'text_column': ...}}"
            )
        texts = batch[text_column]
        if isinstance(texts, str):
            raise TypeError("a record, not a batch; pass batched=True to map")
        cleaned = iter(self.clean_batch([text for text in texts if not _is_missing(text)]))
        return {text_column: [text if _is_missing(text) else next(cleaned) for text in texts]}

    def label(self, page: str | Document) -> list[LabeledLine]:
        """Label each non-blank line of a page; the score is the probability of the label.

        What :meth:`clean` keeps is judged by its own score, trained on what reviewers of whole pages chose:
        nearly always the lines labelled content, but not, say, a second copy of the text. So each line says
        for itself whether it is kept.
        """
        document = Document.from_text(page, id="") if isinstance(page, str) else page
        reading = next(iter(self.model.read([document])))
        best = reading.labels.argmax(axis=1).tolist() if len(reading.labels) else []
        labels = list(Label)
        return [
            LabeledLine(line, labels[i], float(p[i]), kept)
            for line, i, p, kept in zip(
                document.lines, best, reading.labels, self.decide(reading).tolist(), strict=True
            )
        ]

    def keep(self, documents: Sequence[Document]) -> list[NDArray[np.bool_]]:
        """Whether each line stays; one array of shape (n_lines,) a document."""
        if not self.drop:
            return [np.ones(len(document.lines), dtype=bool) for document in documents]
        return [self.decide(reading) for reading in self.model.read(documents)]

    def decide(self, reading: Reading) -> NDArray[np.bool_]:
        """Whether each line stays, by what the model says of its document; shape (n_lines,)."""
        if not self.drop:
            return np.ones(len(reading.main), dtype=bool)
        if set(self.drop) == set(BOILERPLATE):
            if self.threshold is None:
                return reading.chosen()
            goes = 1 - reading.main
        else:
            goes = reading.labels[:, [label.id for label in self.drop]].sum(axis=1)
            goes = np.minimum(goes, 1)  # rounding may add up to more
        keep: NDArray[np.bool_] = goes <= (0.5 if self.threshold is None else self.threshold)
        return keep


def _is_missing(text: object) -> bool:
    return not isinstance(text, str) and str(text) in ("None", "nan", "<NA>")
