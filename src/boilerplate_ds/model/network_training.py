"""How the second stage is trained: gradients in numpy, Adam, and rounding to whole numbers at the end.

Training is Adam (Kingma and Ba, 2015) with averaged weights on a loss that both kinds of supervision share: a
line with one of four labels pays the cross-entropy of that label, a line known to be outside the main content
that of the three others together, and every line that of main content. The weights decay (Loshchilov and
Hutter, "Decoupled weight decay regularization", 2019): pages with labels are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import MAIN, NOT_MAIN
from boilerplate_ds.model.network import (
    DILATIONS,
    HIDDEN,
    N_LABELS,
    N_LOGITS,
    WIDTH,
    Network,
    rows_of,
    shifts,
    sigmoid,
    softmax,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

GAP = (WIDTH // 2) * max(DILATIONS)
"""Empty rows between documents, so that no convolution reaches from one into the next."""
LEAST_SPREAD = 0.25
"""Features that vary less than this are scaled as if they varied so much: rare ones must not shout."""
BORROWED = 0.3
"""Weight of what a line teaches about the question that it was not reviewed for."""
_STEPS, _EPOCHS = 2_000, (9, 20)
"""Passes over the data are as many as come to so many steps, and at least and at most so many."""
_SAMPLE = 100_000
"""Lines, or some more, that say how high channels go."""
_AT_ONCE = 1500
"""Rows whose squares are summed together."""


def initial(features: Floats, seed: int) -> dict[str, Floats]:
    """Random weights, and the mean and spread of ``features`` (n_lines, n_features) that scale inputs."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int, fan: int) -> Floats:
        weights: Floats = (rng.standard_normal(shape) * np.sqrt(1.0 / fan)).astype(np.float32)
        return weights

    n_features = features.shape[1]
    mean = features.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(_squares(features, mean) / max(len(features), 1))
    parameters = {
        "mean": mean.astype(np.float32),
        # a feature that never varied in training (markup, say) is not read at all
        "scale": np.where(spread > 1e-4, 1 / np.maximum(spread, LEAST_SPREAD), 0).astype(np.float32),
        "in.weight": normal(n_features, HIDDEN, fan=n_features),
        "in.bias": np.zeros(HIDDEN, dtype=np.float32),
        "out.weight": normal(HIDDEN, N_LOGITS, fan=HIDDEN * 4),
        "out.bias": np.zeros(N_LOGITS, dtype=np.float32),
    }
    for block in range(len(DILATIONS)):
        parameters[f"block{block}.weight"] = normal(HIDDEN, WIDTH * HIDDEN, fan=WIDTH * HIDDEN)
        parameters[f"block{block}.page"] = normal(HIDDEN, HIDDEN, fan=HIDDEN * 4)
        parameters[f"block{block}.bias"] = np.zeros(HIDDEN, dtype=np.float32)
    return parameters


def _squares(features: Floats, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum squared distances from the mean, of some rows at once: all need twice the features' room."""
    squares = np.zeros_like(mean)
    for first in range(0, len(features), _AT_ONCE):
        squares += np.square(features[first : first + _AT_ONCE] - mean).sum(axis=0)
    return squares


class _Layout:
    """Where lines stand once documents are set apart by ``GAP`` empty rows."""

    def __init__(self, ends: NDArray[np.int64]) -> None:
        sizes = np.diff(ends)
        document = np.repeat(np.arange(len(sizes)), sizes)
        self.rows = np.arange(ends[0], ends[-1]) - ends[0] + (document + 1) * GAP
        self.n_rows = int(ends[-1] - ends[0]) + (len(sizes) + 1) * GAP
        self.mask = np.zeros((self.n_rows, 1), dtype=np.float32)
        self.mask[self.rows] = 1
        self.starts = (
            ends[:-1] - ends[0] + (np.arange(len(sizes)) + 1) * GAP - (np.arange(len(sizes)) == 0) * GAP
        )
        self.sizes = np.maximum(sizes, 1).astype(np.float32)[:, None]
        self.document = np.zeros(self.n_rows, dtype=np.int64)
        self.document[self.rows] = document

    def spread(self, values: Floats) -> Floats:
        out = np.zeros((self.n_rows, values.shape[1]), dtype=np.float32)
        out[self.rows] = values
        return out

    def page_sums(self, values: Floats) -> Floats:
        """Sum each document's rows; ``values`` are zero on empty rows."""
        sums: Floats = np.add.reduceat(values, self.starts, axis=0)
        return sums


@dataclass(slots=True)
class _Pass:
    """What a forward pass leaves for the backward pass."""

    inputs: Floats
    hidden: list[Floats]
    active: list[NDArray[np.bool_]]
    logits: Floats


def _taps(block: int, n_rows: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield the columns of each tap's weights, the rows that hear through it, and the rows that they hear."""
    for tap, shift in enumerate(shifts(block)):
        yield slice(tap * HIDDEN, (tap + 1) * HIDDEN), *rows_of(shift, n_rows)


def _forward(
    p: Mapping[str, Floats], inputs: Floats, layout: _Layout, dropped: Sequence[Floats] = ()
) -> _Pass:
    """Run the network; ``dropped`` are factors of each block's update, for dropout."""
    first: Floats = inputs @ p["in.weight"][: inputs.shape[1]]
    first += p["in.bias"]
    np.maximum(first, 0, out=first)
    hidden = layout.spread(first)
    layers = [hidden]
    active = [hidden > 0]
    for block in range(len(DILATIONS)):
        page: Floats = layout.page_sums(hidden) / layout.sizes
        from_page: Floats = page @ p[f"block{block}.page"]
        update = (from_page + p[f"block{block}.bias"])[layout.document]
        for columns, hearing, heard in _taps(block, layout.n_rows):
            update[hearing] += hidden[heard] @ p[f"block{block}.weight"][:, columns]
        np.maximum(update, 0, out=update)
        update *= layout.mask
        active.append(update > 0)
        if dropped:
            update *= dropped[block]
        hidden = hidden + update
        layers.append(hidden)
    return _Pass(inputs, layers, active, hidden @ p["out.weight"] + p["out.bias"])


def _backward(
    p: dict[str, Floats], state: _Pass, grad: Floats, layout: _Layout, dropped: Sequence[Floats] = ()
) -> dict[str, Floats]:
    """Gradients of all weights from that of the logits."""
    grads = {"out.weight": state.hidden[-1].T @ grad, "out.bias": grad.sum(axis=0)}
    flow = grad @ p["out.weight"].T
    for block in reversed(range(len(DILATIONS))):
        below = state.hidden[block]
        update = flow * state.active[block + 1]
        if dropped:
            update *= dropped[block]
        weight = p[f"block{block}.weight"]
        weight_grad, heard_flow = np.empty_like(weight), np.zeros_like(flow)
        for columns, hearing, heard in _taps(block, layout.n_rows):
            weight_grad[:, columns] = below[heard].T @ update[hearing]
            heard_flow[heard] += update[hearing] @ weight[:, columns].T
        page_update = layout.page_sums(update)
        page = layout.page_sums(below) / layout.sizes
        grads[f"block{block}.weight"] = weight_grad
        grads[f"block{block}.bias"] = page_update.sum(axis=0)
        grads[f"block{block}.page"] = page.T @ page_update
        flow = flow + heard_flow
        flow += (page_update @ p[f"block{block}.page"].T / layout.sizes)[layout.document]
        flow *= layout.mask
    flow *= state.active[0]
    first = flow[layout.rows]
    grads["in.weight"] = state.inputs.T @ first
    grads["in.bias"] = first.sum(axis=0)
    return grads


@dataclass(frozen=True, slots=True)
class Targets:
    """What training knows of each line.

    Parameters
    ----------
    labels : ndarray of int8, shape (n_lines,)
        Class ids, ``MAIN`` or ``NOT_MAIN`` where no more is known; anything below them: not trained on.
    main : ndarray of int8, shape (n_lines,)
        1 and 0: of the main content or not, as a reviewer chose it; -1: not reviewed, then the label answers.
    label_weight, main_weight : ndarray of float32, shape (n_lines,)
        How much a line's cross-entropy counts, of its label and of main content.
    """

    labels: NDArray[np.int8]
    main: NDArray[np.int8]
    label_weight: Floats
    main_weight: Floats

    def take(self, lines: NDArray[np.int64]) -> Targets:
        """Give the targets of some lines."""
        return Targets(
            self.labels[lines], self.main[lines], self.label_weight[lines], self.main_weight[lines]
        )


# rows: the four labels, then MAIN (the last but one from behind) and NOT_MAIN
_ALLOWED = np.array(
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 1, 1]], dtype=np.float32
)


def _loss_gradient(logits: Floats, targets: Targets) -> tuple[float, Floats]:
    """Mean loss and its gradient by the logits."""
    known = targets.labels >= MAIN
    of_label = targets.label_weight * known * np.where(targets.labels >= 0, 1.0, BORROWED)
    of_main = targets.main_weight * known * np.where(targets.main >= 0, 1.0, BORROWED)
    total = max(float((of_label + of_main).sum()), 1e-6)
    grad = np.empty_like(logits)

    p = softmax(logits[:, :N_LABELS])
    joint = p * _ALLOWED[np.where(known, targets.labels, NOT_MAIN)]  # negative labels count from the end
    mass = np.maximum(joint.sum(axis=1, keepdims=True), 1e-7)
    own = of_label[:, None] / total
    loss = -float((own * np.log(mass)).sum())
    grad[:, :N_LABELS] = own * (p - joint / mass)

    is_content = (targets.labels == 0) | (targets.labels == MAIN)
    is_main = np.where(targets.main >= 0, targets.main, is_content).astype(np.float32)
    main = sigmoid(logits[:, N_LABELS])
    own = of_main / total
    loss -= float((own * np.log(np.maximum(np.where(is_main > 0, main, 1 - main), 1e-7))).sum())
    grad[:, N_LABELS] = own * (main - is_main)
    return loss, grad


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the second stage is trained.

    ``epochs`` None stands for as many as come to 2,000 steps, 9 to 20; ``batch_lines`` 0 for a 150th of all
    lines, 400 to 6,000. ``average`` is the share of the averaged weights that stays at each step.
    """

    epochs: int | None = None
    batch_lines: int = 0
    rate: float = 4e-3
    decay: float = 0.2
    dropout: float = 0.1
    average: float = 0.998


def fit_network(
    features: Floats,
    ends: NDArray[np.int64],
    targets: Targets,
    *,
    views: Sequence[object] | None = None,
    seed: int = 0,
    schedule: Schedule | None = None,
    progress: Callable[[float], None] | None = None,
) -> Network:
    """Train the second stage.

    Parameters
    ----------
    features : ndarray of float32, shape (n_lines, n_features)
    ends : ndarray of int64, shape (n_documents + 1,)
    targets : Targets
    views : sequence of hashable, length n_documents, optional
        Of the documents with the same key, which are views of one page, each epoch takes one.
    seed : int
    schedule : Schedule, optional
    progress : callable, optional
        Called with the share of training that is done, 0 to 1.
    """
    plan = schedule or Schedule()
    p = initial(features, seed)
    trained = [name for name in p if name not in ("mean", "scale")]
    average = {name: p[name].copy() for name in trained}
    moments = {name: np.zeros((2, *p[name].shape), dtype=np.float32) for name in trained}
    rng = np.random.default_rng(seed + 1)
    batch_lines = plan.batch_lines or int(np.clip(ends[-1] // 150, 400, 6000))
    epoch = _batches(ends, batch_lines, rng, views)
    epochs = plan.epochs or int(np.clip(_STEPS // max(len(epoch), 1), *_EPOCHS))
    more = (batch for _ in range(epochs - 1) for batch in _batches(ends, batch_lines, rng, views))
    batches = [*epoch, *more]
    n_steps = len(batches)
    for step, batch in enumerate(batches, start=1):
        grads = _gradients(p, _Batch.of(features, ends, targets, batch), plan, rng)
        rate = plan.rate * min(1.0, step / (0.05 * n_steps)) * 0.5 * (1 + np.cos(np.pi * step / n_steps))
        _adam(p, grads, moments, step=step, rate=rate, decay=plan.decay)
        kept = min(plan.average, step / (step + 10))
        for name in trained:
            average[name] += np.float32(1 - kept) * (p[name] - average[name])
        if progress is not None:
            progress(step / n_steps)
    p |= average
    return Network.rounded(p, _highest(p, features, ends, batch_lines))


def _highest(
    p: Mapping[str, Floats], features: Floats, ends: NDArray[np.int64], batch_lines: int
) -> list[Floats]:
    """How high each channel goes before each block and after the last, but for one line in 10,000."""
    sizes = np.diff(ends)
    some = np.random.default_rng(0).permutation(np.flatnonzero(sizes))
    some = some[: np.searchsorted(np.cumsum(sizes[some]), _SAMPLE) + 1]
    layers: list[list[Floats]] = []
    for batch in _parts(some, ends, batch_lines):
        lines, batch_ends = _lines_of(batch, ends)
        layout = _Layout(batch_ends)
        inputs: Floats = (features[lines] - p["mean"]) * p["scale"]
        layers.append([hidden[layout.rows] for hidden in _forward(p, inputs, layout).hidden])
    return [
        np.quantile(np.concatenate(hidden), 0.9999, axis=0).astype(np.float32)
        for hidden in zip(*layers, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some documents' features and targets; ``ends`` as in :meth:`Network.logits`."""

    features: Floats
    ends: NDArray[np.int64]
    targets: Targets

    @classmethod
    def of(
        cls, features: Floats, ends: NDArray[np.int64], targets: Targets, documents: NDArray[np.int64]
    ) -> _Batch:
        lines, batch_ends = _lines_of(documents, ends)
        return cls(features[lines], batch_ends, targets.take(lines))


def _gradients(
    p: dict[str, Floats], batch: _Batch, plan: Schedule, rng: np.random.Generator
) -> dict[str, Floats]:
    """Gradients of all weights on one batch of documents."""
    layout = _Layout(batch.ends)
    inputs: Floats = (batch.features - p["mean"]) * p["scale"]
    dropped: list[Floats] = []
    if plan.dropout:
        inputs *= _dropout(rng, inputs.shape, plan.dropout)
        dropped = [_dropout(rng, (layout.n_rows, HIDDEN), plan.dropout) for _ in DILATIONS]
    state = _forward(p, inputs, layout, dropped)
    grad = np.zeros_like(state.logits)
    _, grad[layout.rows] = _loss_gradient(state.logits[layout.rows], batch.targets)
    return _backward(p, state, grad, layout, dropped)


def _dropout(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> Floats:
    least = round(256 * share)
    drawn = np.frombuffer(rng.bytes(int(np.prod(shape))), dtype=np.uint8).reshape(shape)
    kept: Floats = (drawn >= least) * np.float32(256 / (256 - least))
    return kept


def _adam(
    p: dict[str, Floats],
    grads: dict[str, Floats],
    moments: dict[str, Floats],
    *,
    step: int,
    rate: float,
    decay: float,
) -> None:
    for name, grad in grads.items():
        first, second = moments[name]
        first += 0.1 * (grad - first)
        second += 0.002 * (grad * grad - second)
        move = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.998**step)) + 1e-8)
        p[name] -= np.float32(rate) * (move + np.float32(decay) * p[name])


def _batches(
    ends: NDArray[np.int64], batch_lines: int, rng: np.random.Generator, views: Sequence[object] | None
) -> list[NDArray[np.int64]]:
    """Order documents at random, one of each page's views, and cut into batches of ``batch_lines`` or so."""
    order = rng.permutation(len(ends) - 1)
    order = order[np.diff(ends)[order] > 0]
    if views is not None:
        order = np.array(list({views[i]: i for i in order.tolist()}.values()))
    return _parts(order, ends, batch_lines)


def _parts(
    documents: NDArray[np.int64], ends: NDArray[np.int64], batch_lines: int
) -> list[NDArray[np.int64]]:
    """Cut documents into parts of ``batch_lines`` or so."""
    filled = np.cumsum(np.diff(ends)[documents])
    parts = np.split(documents, np.flatnonzero(np.diff(filled // batch_lines)) + 1)
    return [part for part in parts if len(part)]


def _lines_of(
    batch: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sizes = ends[batch + 1] - ends[batch]
    batch_ends = np.concatenate(([0], np.cumsum(sizes)))
    lines = np.repeat(ends[batch] - batch_ends[:-1], sizes) + np.arange(batch_ends[-1])
    return lines, batch_ends
