"""Stage two: a small convolutional network over the lines of a document, in numpy.

A dense layer reads each line's features; residual blocks of dilated convolutions (van den Oord et al.,
"WaveNet", 2016, without its gates) let lines see their neighbours up to 42 lines away, and the page's
mean joins at every block; a last layer gives four logits. Training is plain Adam (Kingma and Ba, 2015) on a
loss that both kinds of supervision share: a line with one of four labels pays the cross-entropy of that
label, a line known only not to be content pays that of the three others together. Beside it stands each
page's own soft F1 of content, in words, which is what a cleaned page is judged by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boilerplate_ds.document import NOT_MAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

HIDDEN = 32
"""Twice the width gained nothing in cross-validation (docs/experiments.md)."""
WIDTH = 5
DILATIONS = (1, 4, 16)
GAP = (WIDTH // 2) * max(DILATIONS)
"""Empty rows between documents, so that no convolution reaches from one into the next."""
CLIP = 5.0
N_LABELS = 4


@dataclass(frozen=True, slots=True)
class Network:
    """Weights of the second stage by name; see :meth:`initial` for their shapes."""

    parameters: dict[str, Floats]

    @classmethod
    def initial(cls, features: Floats, seed: int) -> Network:
        """Random weights, and the mean and spread of ``features`` (n_lines, n_features) that scale inputs."""
        rng = np.random.default_rng(seed)

        def normal(*shape: int, fan: int) -> Floats:
            weights: Floats = (rng.standard_normal(shape) * np.sqrt(1.0 / fan)).astype(np.float32)
            return weights

        n_features = features.shape[1]
        spread = features.std(axis=0, dtype=np.float64)
        parameters = {
            "mean": features.mean(axis=0, dtype=np.float64).astype(np.float32),
            # a feature that never varied in training (markup, say) is not read at all
            "scale": np.where(spread > 1e-4, 1 / np.maximum(spread, 1e-4), 0).astype(np.float32),
            "in.weight": normal(n_features, HIDDEN, fan=n_features),
            "in.bias": np.zeros(HIDDEN, dtype=np.float32),
            "out.weight": normal(HIDDEN, N_LABELS, fan=HIDDEN * 4),
            "out.bias": np.zeros(N_LABELS, dtype=np.float32),
        }
        for block in range(len(DILATIONS)):
            parameters[f"block{block}.weight"] = normal(HIDDEN, WIDTH * HIDDEN, fan=WIDTH * HIDDEN)
            parameters[f"block{block}.page"] = normal(HIDDEN, HIDDEN, fan=HIDDEN * 4)
            parameters[f"block{block}.bias"] = np.zeros(HIDDEN, dtype=np.float32)
        return cls(parameters)

    def scaled(self, features: Floats) -> Floats:
        """Features centred, scaled and clipped to ``±CLIP``."""
        centred = features - self.parameters["mean"]
        scaled: Floats = np.clip(centred * self.parameters["scale"], -CLIP, CLIP)
        return scaled

    def logits(self, features: Floats, ends: NDArray[np.int64]) -> Floats:
        """Logits of every line.

        Parameters
        ----------
        features : ndarray of float32, shape (n_lines, n_features)
        ends : ndarray of int64, shape (n_documents + 1,)
            Document ``d`` has the lines ``ends[d]`` to ``ends[d + 1]``.

        Returns
        -------
        ndarray of float32, shape (n_lines, 4)
        """
        layout = _Layout(ends)
        inputs = layout.spread(self.scaled(features))
        logits: Floats = _forward(self.parameters, inputs, layout).logits[layout.rows]
        return logits


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


def _shifts(block: int) -> list[int]:
    return [(tap - WIDTH // 2) * DILATIONS[block] for tap in range(WIDTH)]


def _add_shifted(out: Floats, values: Floats, shift: int) -> None:
    """Add ``values`` of ``shift`` rows further on to every row of ``out``."""
    if shift == 0:
        out += values
    elif shift > 0:
        out[:-shift] += values[shift:]
    else:
        out[-shift:] += values[:shift]


def _forward(p: dict[str, Floats], inputs: Floats, layout: _Layout) -> _Pass:
    hidden: Floats = inputs @ p["in.weight"]
    hidden += p["in.bias"]
    active = [hidden > 0]
    hidden *= active[0]
    hidden *= layout.mask
    layers = [hidden]
    for block in range(len(DILATIONS)):
        taps: Floats = hidden @ p[f"block{block}.weight"]
        page: Floats = layout.page_sums(hidden) / layout.sizes
        from_page: Floats = page @ p[f"block{block}.page"]
        update = (from_page + p[f"block{block}.bias"])[layout.document]
        for tap, shift in enumerate(_shifts(block)):
            _add_shifted(update, taps[:, tap * HIDDEN : (tap + 1) * HIDDEN], shift)
        on = update > 0
        update *= on
        update *= layout.mask
        hidden = hidden + update
        active.append(on)
        layers.append(hidden)
    return _Pass(inputs, layers, active, hidden @ p["out.weight"] + p["out.bias"])


def _backward(p: dict[str, Floats], state: _Pass, grad: Floats, layout: _Layout) -> dict[str, Floats]:
    """Gradients of all weights from that of the logits."""
    grads = {"out.weight": state.hidden[-1].T @ grad, "out.bias": grad.sum(axis=0)}
    flow = grad @ p["out.weight"].T
    for block in reversed(range(len(DILATIONS))):
        below = state.hidden[block]
        update = flow * state.active[block + 1]
        update *= layout.mask
        taps = np.zeros((layout.n_rows, WIDTH * HIDDEN), dtype=np.float32)
        for tap, shift in enumerate(_shifts(block)):
            _add_shifted(taps[:, tap * HIDDEN : (tap + 1) * HIDDEN], update, -shift)
        page_update = layout.page_sums(update)
        page = layout.page_sums(below) / layout.sizes
        grads[f"block{block}.weight"] = below.T @ taps
        grads[f"block{block}.bias"] = page_update.sum(axis=0)
        grads[f"block{block}.page"] = page.T @ page_update
        flow = flow + taps @ p[f"block{block}.weight"].T
        flow += (page_update @ p[f"block{block}.page"].T / layout.sizes)[layout.document]
        flow *= layout.mask
    flow *= state.active[0]
    grads["in.weight"] = state.inputs.T @ flow
    grads["in.bias"] = flow.sum(axis=0)
    return grads


@dataclass(frozen=True, slots=True)
class Targets:
    """What training knows of each line.

    Parameters
    ----------
    labels : ndarray of int8, shape (n_lines,)
        Class ids; ``NOT_MAIN`` where only that is known; anything below it: not known, not trained on.
    weight : ndarray of float32, shape (n_lines,)
        How much a line's cross-entropy counts.
    words : ndarray of float32, shape (n_lines,)
        Words of each line, for the soft F1.
    """

    labels: NDArray[np.int8]
    weight: Floats
    words: Floats

    def take(self, lines: NDArray[np.int64]) -> Targets:
        """Give the targets of some lines."""
        return Targets(self.labels[lines], self.weight[lines], self.words[lines])


_ALLOWED = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 1, 1]], dtype=np.float32)


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    shifted: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(logits: Floats) -> Floats:
    """Probabilities of a logit each."""
    shares: Floats = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return shares


def _loss_gradient(
    logits: Floats, targets: Targets, document: NDArray[np.int64], n_documents: int, soft_f1: float
) -> tuple[float, Floats]:
    """Mean loss and its gradient by the logits."""
    p = softmax(logits)
    known = targets.labels >= NOT_MAIN
    allowed = _ALLOWED[np.where(targets.labels == NOT_MAIN, 4, np.maximum(targets.labels, 0))]
    joint = p * allowed
    mass = np.maximum(joint.sum(axis=1, keepdims=True), 1e-7)
    weight = (targets.weight * known)[:, None]
    total = max(float(weight.sum()), 1e-6)
    loss = -float((weight * np.log(mass)).sum()) / total
    grad = weight * (p - joint / mass) / total
    words = targets.words * known
    truth = words * (targets.labels == 0)
    hit = np.bincount(document, p[:, 0] * truth, n_documents)
    size = np.bincount(document, p[:, 0] * words + truth, n_documents) + 1.0
    loss += soft_f1 * float(np.mean(1 - 2 * hit / size))
    by_content = (
        -2 * (truth * size[document] - hit[document] * words) / size[document] ** 2 * (soft_f1 / n_documents)
    )
    through = p[:, :1] * -p
    through[:, 0] += p[:, 0]
    grad += (by_content[:, None] * through).astype(np.float32)
    return loss, grad.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the second stage is trained; ``batch_lines`` 0 stands for a 150th of all lines, 400 to 6,000."""

    epochs: int = 8
    batch_lines: int = 0
    rate: float = 2e-3
    decay: float = 1e-4
    soft_f1: float = 0.5
    dropout: float = 0.1


def fit_network(
    features: Floats,
    ends: NDArray[np.int64],
    targets: Targets,
    *,
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
    seed : int
    schedule : Schedule, optional
    progress : callable, optional
        Called with the share of training that is done, 0 to 1.
    """
    plan = schedule or Schedule()
    network = Network.initial(features, seed)
    features = network.scaled(features)
    p = network.parameters
    trained = [name for name in p if name not in ("mean", "scale")]
    first = {name: np.zeros_like(p[name]) for name in trained}
    second = {name: np.zeros_like(p[name]) for name in trained}
    rng = np.random.default_rng(seed + 1)
    batch_lines = plan.batch_lines or int(np.clip(len(features) // 150, 400, 6000))
    batches = [_batches(ends, batch_lines, rng) for _ in range(plan.epochs)]
    n_steps = sum(map(len, batches))
    for step, batch in enumerate((batch for epoch in batches for batch in epoch), start=1):
        lines, batch_ends = _lines_of(batch, ends)
        layout = _Layout(batch_ends)
        inputs = layout.spread(features[lines])
        if plan.dropout:
            inputs *= (rng.random(inputs.shape, dtype=np.float32) >= plan.dropout) / np.float32(
                1 - plan.dropout
            )
        state = _forward(p, inputs, layout)
        grad = np.zeros_like(state.logits)
        _, grad[layout.rows] = _loss_gradient(
            state.logits[layout.rows],
            targets.take(lines),
            layout.document[layout.rows],
            len(batch),
            plan.soft_f1,
        )
        grads = _backward(p, state, grad, layout)
        rate = plan.rate * min(1.0, step / (0.05 * n_steps)) * 0.5 * (1 + np.cos(np.pi * step / n_steps))
        _adam(p, grads, first, second, step=step, rate=rate, decay=plan.decay)
        if progress is not None:
            progress(step / n_steps)
    return network


def _adam(
    p: dict[str, Floats],
    grads: dict[str, Floats],
    first: dict[str, Floats],
    second: dict[str, Floats],
    *,
    step: int,
    rate: float,
    decay: float,
) -> None:
    for name, grad in grads.items():
        first[name] += 0.1 * (grad - first[name])
        second[name] += 0.002 * (grad * grad - second[name])
        move = first[name] / (1 - 0.9**step) / (np.sqrt(second[name] / (1 - 0.998**step)) + 1e-8)
        p[name] -= np.float32(rate) * (move + np.float32(decay) * p[name] * 10)


def _batches(ends: NDArray[np.int64], batch_lines: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Documents in random order, cut into batches of about ``batch_lines`` lines."""
    order = rng.permutation(len(ends) - 1)
    order = order[np.diff(ends)[order] > 0]
    filled = np.cumsum(np.diff(ends)[order])
    return [part for part in np.split(order, np.flatnonzero(np.diff(filled // batch_lines)) + 1) if len(part)]


def _lines_of(
    batch: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sizes = ends[batch + 1] - ends[batch]
    batch_ends = np.concatenate(([0], np.cumsum(sizes)))
    lines = np.repeat(ends[batch] - batch_ends[:-1], sizes) + np.arange(batch_ends[-1])
    return lines, batch_ends
