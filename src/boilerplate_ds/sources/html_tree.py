"""Tags to a tree: a stack of open elements, with the end tags that HTML lets authors leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boilerplate_ds.sources.html_tags import IMPLIED
from boilerplate_ds.sources.html_tokens import BODY, CELL, END, NOTHING, START

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boilerplate_ds.sources.html_tokens import Plan

MAX_DEPTH = 512
"""Elements nested deeper than this become neighbours, as in browsers."""
LOOK = 64
"""How many open elements a tag looks past for the one it closes; bounds the work on misnested pages."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Elements that may hold text, in document order; 0 is ``<html>``, 1 is ``<body>``.

    Parameters
    ----------
    parent : list of int, length n_elements
    written : list of str, length n_elements
        Each element's start tag.
    holder : list of int, length n_tags + 1
        The innermost open element before the first tag and after each.
    """

    parent: list[int]
    written: list[str]
    holder: list[int]


def build_tree(tags: Iterable[str | None], plans: Iterable[Plan]) -> Tree:
    """Nest the elements of a page: the only loop that handles one tag at a time."""
    parent, written = [0, 0], ["html", "body"]
    names, stack = ["html", "body"], [0, 1]
    holder = [1]
    top = 1
    seen: set[str] = set()
    for tag, (action, name, closings, _) in zip(tags, plans, strict=True):
        if action == END:
            if names[-1] == name:
                names.pop()
                stack.pop()
            else:
                for closes, bounds in closings:
                    _close(closes, bounds, names, stack)
            top = stack[-1]
        elif action >= START:
            for closes, bounds in closings:
                if names[-1] not in bounds:
                    _close(closes, bounds, names, stack)
            if action == CELL:
                while implied := IMPLIED.get((name, names[-1])):
                    parent.append(stack[-1])
                    stack.append(len(written))
                    written.append(implied)
                    names.append(implied)
            if len(stack) >= MAX_DEPTH:
                del names[MAX_DEPTH - 1 :], stack[MAX_DEPTH - 1 :]
            parent.append(stack[-1])
            top = len(written)
            written.append(tag)  # type: ignore[arg-type]  # only what is passed over is None
            names.append(name)
            stack.append(top)
        elif action != NOTHING and name not in seen:
            seen.add(name)
            written[action == BODY] = tag  # type: ignore[assignment]
            del names[2:], stack[2:]
            top = 1
        holder.append(top)
    return Tree(parent, written, holder)


def _close(closes: frozenset[str], bounds: frozenset[str], names: list[str], stack: list[int]) -> None:
    """Close the nearest of the elements that a tag closes, and all that is open inside it."""
    for depth in range(len(names) - 1, max(1, len(names) - 1 - LOOK), -1):
        if names[depth] in closes:
            del names[depth:], stack[depth:]
            return
        if names[depth] in bounds:
            return
