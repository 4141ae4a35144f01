"""Pages in, suggestions out: asks, checks, has mended once, joins windows, for several pages at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.errors import EndpointError, LabelError
from boilerplate_ds.labeling.llm.answer import Answer, AnswerError, parse_answer
from boilerplate_ds.labeling.llm.cache import cache_key
from boilerplate_ds.labeling.llm.endpoint import Usage
from boilerplate_ds.labeling.llm.prompt import (
    WINDOW_TOKENS,
    Window,
    estimate_answer_tokens,
    estimate_tokens,
    messages,
    windows,
)
from boilerplate_ds.labeling.suggestions import Suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from boilerplate_ds.document import Document
    from boilerplate_ds.labeling.llm.cache import AnswerCache
    from boilerplate_ds.labeling.llm.endpoint import Endpoint
    from boilerplate_ds.labeling.llm.prompt import Messages

SURE, UNSURE = 0.9, 0.5
"""Scores of lines. A model's own figures mean little; that it doubts or that windows differ says more."""

_ECHOED_CHARACTERS = 20_000
_FAILURES_IN_A_ROW = 10
_REPAIR = """\
That answer cannot be used: {problems}.
Answer again, with one JSON object and nothing else: runs that cover lines {first} to {last} once each."""


class LlmLabeler:
    """Labels documents by asking a model.

    Parameters
    ----------
    endpoint : Endpoint
    source : str
        Name of the suggestions.
    guidelines : str
        Their text.
    cache : AnswerCache
    window_tokens : int
        About how much of a page is asked for at once.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        source: str,
        guidelines: str,
        cache: AnswerCache,
        window_tokens: int = WINDOW_TOKENS,
    ) -> None:
        self.endpoint = endpoint
        self.source = source
        self.guidelines = guidelines
        self.cache = cache
        self.window_tokens = window_tokens

    async def suggest(self, document: Document) -> Suggestion:
        """Label one document.

        Raises
        ------
        AnswerError
            If the model's answer cannot be used, asked twice.
        RequestError
            If the endpoint failed on this document.
        EndpointError
            If it cannot be used at all.
        """
        cut = windows(document, self.window_tokens)
        answer = join([(window, await self._answer(window)) for window in cut])
        scores = np.where(answer.sure, SURE, UNSURE).astype(np.float32)
        return Suggestion(document.id, document.text_sha256, self.source, answer.labels, scores)

    async def _answer(self, window: Window) -> Answer:
        asked = messages(window, self.guidelines)
        key = cache_key(self.endpoint.model, asked)
        answer = self.cache.get(key, window.stop - window.start)
        if answer is not None:
            self.endpoint.usage.cached += 1
            return answer
        first, last = window.start + 1, window.stop
        text = await self.endpoint.ask(asked)
        try:
            answer = parse_answer(text, first, last)
        except AnswerError as error:
            repair = _REPAIR.format(problems=error, first=first, last=last)
            echo = {"role": "assistant", "content": text[:_ECHOED_CHARACTERS]}
            text = await self.endpoint.ask([*asked, echo, {"role": "user", "content": repair}])
            try:
                answer = parse_answer(text, first, last)
            except AnswerError as again:
                raise AnswerError(f"the answer cannot be used, nor its repair: {again}") from again
        self.cache.put(key, answer)
        return answer


def join(answers: Sequence[tuple[Window, Answer]]) -> Answer:
    """Join the answers of a document's windows, in their order.

    Where two windows hold a line, the one in which it stands further from the edge decides, the earlier one
    if both are as far. A line on which they differ is not sure.
    """
    labels, sure = (answers[0][1].labels.copy(), answers[0][1].sure.copy()) if answers else _nothing()
    for window, answer in answers[1:]:
        shared = len(labels) - window.start
        middle = (shared + 1) // 2
        differ = labels[window.start :] != answer.labels[:shared]
        sure[window.start :] &= answer.sure[:shared] & ~differ
        kept = sure[window.start :]
        labels = np.concatenate([labels[: window.start + middle], answer.labels[middle:]])
        sure = np.concatenate([sure[: window.start], kept, answer.sure[shared:]])
    return Answer(labels, sure)


def estimate(
    documents: Iterable[Document],
    guidelines: str,
    model: str,
    cache: AnswerCache,
    window_tokens: int = WINDOW_TOKENS,
) -> tuple[Usage, Messages]:
    """Guess what it would take to label documents, repairs aside; and give the first question."""
    usage = Usage(estimated=True)
    first: Messages = []
    for document in documents:
        for window in windows(document, window_tokens):
            asked = messages(window, guidelines)
            first = first or asked
            if cache.get(cache_key(model, asked), window.stop - window.start) is not None:
                usage.cached += 1
                continue
            usage.requests += 1
            usage.prompt_tokens += sum(estimate_tokens(message["content"]) for message in asked)
            usage.completion_tokens += estimate_answer_tokens(window.stop - window.start)
    return usage, first


async def label_documents(
    labeler: LlmLabeler,
    documents: Iterable[Document],
    *,
    concurrency: int,
    done: Callable[[Document, Suggestion | LabelError], None],
) -> None:
    """Label documents, several at once, and tell of each as it is done.

    Parameters
    ----------
    labeler : LlmLabeler
    documents : iterable of Document
    concurrency : int
        How many requests are under way at the same time.
    done : callable
        Gets each document with its suggestion, or with the reason why there is none.

    Raises
    ------
    EndpointError
        If the endpoint cannot be used, or ten documents in a row have failed, for whatever reason.
    """
    waiting = iter(documents)
    failures = 0

    async def work() -> None:
        nonlocal failures
        for document in waiting:
            try:
                outcome: Suggestion | LabelError = await labeler.suggest(document)
                failures = 0
            except LabelError as error:
                outcome = error
                failures += 1
            done(document, outcome)
            if failures >= _FAILURES_IN_A_ROW:
                raise EndpointError(f"failed on {failures} documents in a row, at last: {outcome}")

    workers = [asyncio.ensure_future(work()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def _nothing() -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    return np.zeros(0, dtype=np.int8), np.zeros(0, dtype=bool)
