"""Labelling rules: functions that vote for the label of a line, or abstain.

A rule reads one :class:`Line` in its page and gives a label or None::

    @rule
    def breadcrumbs(line: Line) -> Label | None:
        '''Parts joined by ``›``.'''
        return Label.NAVIGATION if " › " in line.text else None

The shipped ones are in :mod:`boilerplate_ds.labeling.shipped_rules`; their votes are weighed by
:class:`boilerplate_ds.labeling.label_model.LabelModel`. After Ratner et al., *Data Programming* (2016).
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import Label
from boilerplate_ds.errors import LabelError
from boilerplate_ds.terms import TERMS, fold, terms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.terms import Terms

    Votes = NDArray[np.int8]
    """What each rule says of each line of a document: class ids or ABSTAIN; shape (n_lines, n_rules)."""

ABSTAIN = -1

MAX_CHARACTERS = 2_000
"""Of a line, rules read no more: what a line is shows at its start, and patterns stay fast on any input."""

_PROSE_WORDS = 18
_SENTENCE_END = re.compile(r"[.!?…][\"'»”’)\]]*(?:\s|$)|[。！？؟।۔]")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
_DETECT_LINES = 400


class Page:
    """A document as rules read it.

    Parameters
    ----------
    document : Document
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.lines = tuple(Line(self, number, text) for number, text in enumerate(document.lines))

    @cached_property
    def language(self) -> str:
        """The document's own language if its terms are known, else what its text tells."""
        code = re.split("[-_]", self.document.language.casefold())[0]
        return code if code in TERMS else _detected(self.document.lines)

    @cached_property
    def terms(self) -> Terms:
        """What the page's language calls things."""
        return terms_of(self.language)

    @cached_property
    def prose(self) -> NDArray[np.int64]:
        """Numbers of the lines that are running text, in order."""
        return np.flatnonzero([line.is_prose for line in self.lines])

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each line stands on the page, case and spaces aside."""
        return Counter(line.folded for line in self.lines)


class Line:
    """A line in its page.

    Parameters
    ----------
    page : Page
    number : int
        From 0.
    text : str
        Cut to :data:`MAX_CHARACTERS`.
    """

    def __init__(self, page: Page, number: int, text: str) -> None:
        self.page = page
        self.number = number
        self.text = text[:MAX_CHARACTERS]

    @cached_property
    def folded(self) -> str:
        """The text without case, with single spaces (:func:`boilerplate_ds.terms.fold`)."""
        return fold(self.text)

    @cached_property
    def bare(self) -> str:
        """``folded`` without digits and punctuation around it: ``» Reply (3)`` is ``reply``."""
        first, last = _LETTER.search(self.folded), _LETTER.search(self.folded[::-1])
        return self.folded[first.start() : len(self.folded) - last.start()] if first and last else ""

    @cached_property
    def words(self) -> int:
        """Number of words; two characters of a script without spaces count as one."""
        return len(self.folded.split()) + len(_UNSPACED.findall(self.folded)) // 2

    @cached_property
    def ends_sentence(self) -> bool:
        """Whether a sentence ends in it."""
        return _SENTENCE_END.search(self.text) is not None

    @property
    def is_prose(self) -> bool:
        """Whether the line is running text: many words, and a sentence ends in it."""
        return self.words >= _PROSE_WORDS and self.ends_sentence

    def is_term(self, *kinds: str) -> bool:
        """Whether the whole line, marks and digits aside, is a term of one of these kinds."""
        return any(self.bare in self.page.terms.exact[kind] for kind in kinds)

    def has_term(self, kind: str) -> bool:
        """Whether a term of this kind stands in the line as whole words."""
        return self.page.terms.within[kind].search(self.folded) is not None

    def starts_with_term(self, kind: str) -> bool:
        """Whether the line begins with a term of this kind, marks and digits aside."""
        return self.page.terms.within[kind].match(self.bare) is not None

    def before(self, n: int) -> tuple[Line, ...]:
        """Up to ``n`` lines before this one, the nearest first."""
        return self.page.lines[max(0, self.number - n) : self.number][::-1]

    def after(self, n: int) -> tuple[Line, ...]:
        """Up to ``n`` lines after this one."""
        return self.page.lines[self.number + 1 : self.number + 1 + n]

    @cached_property
    def since_prose(self) -> float:
        """How many lines after the last running text before it; infinite if there is none."""
        at = int(np.searchsorted(self.page.prose, self.number))
        return float(self.number - self.page.prose[at - 1]) if at else np.inf

    @cached_property
    def until_prose(self) -> float:
        """How many lines before the next running text, 0 on such a line; infinite if there is none."""
        at = int(np.searchsorted(self.page.prose, self.number))
        return float(self.page.prose[at] - self.number) if at < len(self.page.prose) else np.inf


@dataclass(frozen=True, slots=True)
class Rule:
    """A named labelling function; made by :func:`rule`.

    Parameters
    ----------
    name : str
    function : callable
        Reads a :class:`Line`, gives a label or None.
    """

    name: str
    function: Callable[[Line], Label | None]

    def __call__(self, line: Line) -> Label | None:
        """Vote on a line.

        Raises
        ------
        LabelError
            If the rule itself fails, or gives something that is no label.
        """
        try:
            vote = self.function(line)
        except Exception as error:  # a rule is the user's code: whatever it raises, say where
            raise LabelError(f"rule {self.name!r} failed on {_place(line)}: {error!r}") from error
        if vote is not None and not isinstance(vote, Label):
            raise LabelError(f"rule {self.name!r} gave {vote!r} for {_place(line)}; give a Label or None")
        return vote


def rule(function: Callable[[Line], Label | None]) -> Rule:
    """Make a labelling rule of a function; the rule bears the function's name."""
    return Rule(function.__name__, function)


def apply_rules(rules: Sequence[Rule], document: Document) -> Votes:
    """Ask every rule about every line.

    Returns
    -------
    ndarray of int8, shape (n_lines, n_rules)
        Class ids; :data:`ABSTAIN` where a rule says nothing.
    """
    votes = np.full((len(document.lines), len(rules)), ABSTAIN, dtype=np.int8)
    for line in Page(document).lines:
        for column, one in enumerate(rules):
            label = one(line)
            if label is not None:
                votes[line.number, column] = label.id
    return votes


def read_rules(path: str | Path) -> list[Rule]:
    """Run a Python file of your own and give the rules in it, in order.

    Raises
    ------
    LabelError
        If the file cannot be run or holds no rule.
    """
    path = Path(path)
    spec = spec_from_file_location(f"rules_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LabelError(f"{path}: rules are read from a Python file (.py)")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise LabelError(f"{path}: could not be run: {error!r}") from error
    rules = [value for value in vars(module).values() if isinstance(value, Rule)]
    if not rules:
        raise LabelError(f"{path}: holds no rule; write functions with @rule (boilerplate_ds.labeling.rules)")
    return rules


def _detected(lines: Sequence[str]) -> str:
    from resiliparse.parse.lang import detect_fast

    text = " ".join(line[:MAX_CHARACTERS] for line in lines[:_DETECT_LINES])
    return str(detect_fast(text.encode("utf-8", "replace").decode())[0])


def _place(line: Line) -> str:
    return f"line {line.number + 1} of document {line.page.document.id!r}"
