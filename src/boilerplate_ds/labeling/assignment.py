"""Who labels what: each annotator's share of the documents, and the share that two people label."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from boilerplate_ds.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


def assign(
    doc_ids: Iterable[str],
    annotators: Sequence[str],
    overlap: float = 0.0,
    holders: Mapping[str, Collection[str]] | None = None,
) -> dict[str, list[str]]:
    """Deal documents to annotators.

    Each document goes to who has least so far, in an order and with ties broken by hashes: the same documents
    and annotators give the same shares on any machine, and everybody is paired with everybody.

    Parameters
    ----------
    doc_ids : iterable of str
    annotators : sequence of str
    overlap : float
        The share of documents that two annotators label, 0 to 1.
    holders : mapping of str to collection of str, optional
        Who has worked on a document already, by its id: they keep it, and others get it only as far as it
        still wants an annotator.

    Returns
    -------
    dict of str to list of str
        Each annotator's documents, in the order of ``doc_ids``.

    Raises
    ------
    LabelError
        If there is no annotator, or one comes twice, or overlap is no share.
    """
    if not annotators or len(set(annotators)) < len(annotators):
        raise LabelError(f"annotators {', '.join(annotators) or '(none)'}: name each once, and at least one")
    if not 0 <= overlap <= 1:
        raise LabelError(f"overlap is a share from 0 to 1, not {overlap}")
    ids = list(doc_ids)
    order = sorted(ids, key=_hash)
    twice = set(order[: round(overlap * len(order))])
    load = dict.fromkeys(annotators, 0)
    of: dict[str, list[str]] = {}
    for doc_id in order:
        held = [name for name in annotators if name in (holders or {}).get(doc_id, ())]
        others = [name for name in annotators if name not in held]
        others.sort(key=lambda name, doc_id=doc_id: (load[name], _hash(f"{doc_id} {name}")))  # type: ignore[misc]
        of[doc_id] = held + others[: max(0, (2 if doc_id in twice else 1) - len(held))]
        for name in of[doc_id]:
            load[name] += 1
    return {name: [doc_id for doc_id in ids if name in of[doc_id]] for name in annotators}


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
