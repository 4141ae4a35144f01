"""Stage two: a small convolutional network over the lines of a document, in whole numbers.

A dense layer reads each line's features; residual blocks of dilated convolutions (van den Oord et al.,
"WaveNet", 2016, without its gates) let lines see their neighbours up to 42 lines away, and the page's
mean joins at every block; a last layer gives four logits for the label and one for main content.

What a layer reads is rounded to whole numbers, and its weights are whole numbers of a byte (Jacob et al.,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference", 2018, after
training). No sum of their products reaches 2**24, so single precision holds each exactly: any order, any
library for matrix products and any processor give the same logits, and so does any company a document is
read in. :mod:`~boilerplate_ds.model.network_training` fits the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.compiled import kernel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

HIDDEN = 48
"""Channels; docs/experiments.md shows what fewer and more gave."""
WIDTH = 5
DILATIONS = (1, 4, 16)
N_LABELS = 4
N_LOGITS = N_LABELS + 1
"""One logit for each label, and the last one for main content."""
TOP_WEIGHT = 127
TOP_FEATURE, FEATURE_STEPS = 2047, 64
"""Largest whole number of a feature, and whole numbers in one standard deviation."""
TOP_CHANNEL, FINER = 255, 8
"""Largest whole number of a channel, and how much finer it is read for the page's mean and for the logits."""
MOST_WEIGHT = 8191
"""What the weights of one channel of the first layer may come to; times ``TOP_FEATURE`` it is below 2**24."""
_AT_ONCE = 1500
"""Rows that whole documents are read in together: what a block computes stays in the processor's cache."""
_KERNEL = kernel("boilerplate_ds.model.network_kernel")


@dataclass(frozen=True)
class Network:
    """Weights of the second stage by name.

    Each layer has a ``grid``, by which its inputs are multiplied before they are rounded, a ``weight`` and a
    ``step``, the worth of one of its whole numbers.

    Parameters
    ----------
    parameters : dict of str to ndarray
        :meth:`shapes` names them; weights are int8, everything else is float32.
    """

    parameters: Mapping[str, NDArray[Any]]

    @staticmethod
    def shapes(n_features: int) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor of a network that reads ``n_features``."""
        shapes: dict[str, tuple[int, ...]] = {
            "in.grid": (n_features,),
            "in.weight": (n_features, HIDDEN),
            "in.step": (HIDDEN,),
            "in.bias": (HIDDEN,),
        }
        for block in range(len(DILATIONS)):
            shapes[f"block{block}.grid"] = (HIDDEN,)
            shapes[f"block{block}.weight"] = (HIDDEN, WIDTH * HIDDEN)
            shapes[f"block{block}.step"] = (HIDDEN,)
            shapes[f"block{block}.page"] = (HIDDEN, HIDDEN)
            shapes[f"block{block}.page_step"] = (HIDDEN,)
            shapes[f"block{block}.bias"] = (HIDDEN,)
        return shapes | {
            "out.grid": (HIDDEN,),
            "out.weight": (HIDDEN, N_LOGITS),
            "out.step": (N_LOGITS,),
            "out.bias": (N_LOGITS,),
        }

    @classmethod
    def rounded(cls, trained: Mapping[str, Floats], highest: Sequence[Floats]) -> Network:
        """Round a trained network's weights.

        Parameters
        ----------
        trained : dict of str to ndarray of float32
            As :func:`~boilerplate_ds.model.network_training.initial` makes them.
        highest : sequence of ndarray of float32, shape (HIDDEN,)
            How high each channel goes before each block, and after the last one.
        """
        scale, own = trained["scale"], trained["in.weight"]
        most = MOST_WEIGHT - len(own) // 2  # rounding adds up to one half to each weight
        weight, step = _rounded(own / np.float32(FEATURE_STEPS), most)
        parameters: dict[str, NDArray[Any]] = {
            "in.grid": scale * np.float32(FEATURE_STEPS),
            "in.weight": weight,
            "in.step": step,
            "in.bias": trained["in.bias"]
            - (trained["mean"] * scale * np.float64(FEATURE_STEPS)) @ (weight * step),
        }
        grids = [(TOP_CHANNEL / np.maximum(high, 1e-3)).astype(np.float32) for high in highest]
        for block, grid in enumerate(grids[:-1]):
            name = f"block{block}"
            taps = trained[f"{name}.weight"] / grid[:, None]
            weight, step = _rounded(_by_tap(taps))
            page, page_step = _rounded(trained[f"{name}.page"] / (grid[:, None] * FINER))
            parameters |= {
                f"{name}.grid": grid,
                f"{name}.weight": weight.reshape(WIDTH, HIDDEN, HIDDEN).swapaxes(0, 1).reshape(HIDDEN, -1),
                f"{name}.step": step,
                f"{name}.page": page,
                f"{name}.page_step": page_step,
                f"{name}.bias": trained[f"{name}.bias"],
            }
        weight, step = _rounded(trained["out.weight"] / (grids[-1][:, None] * FINER))
        parameters |= {
            "out.grid": grids[-1],
            "out.weight": weight,
            "out.step": step,
            "out.bias": trained["out.bias"],
        }
        return cls(
            {
                name: np.ascontiguousarray(v, dtype=None if v.dtype == np.int8 else np.float32)
                for name, v in parameters.items()
            }
        )

    def logits(self, features: Floats, ends: NDArray[np.int64]) -> Floats:
        """Logits of every line.

        Parameters
        ----------
        features : ndarray of float32, shape (n_lines, n_features)
            Finite; columns that are left out at the end count as zero.
        ends : ndarray of int64, shape (n_documents + 1,)
            Document ``d`` has the lines ``ends[d]`` to ``ends[d + 1]``; from 0 to ``n_lines``.

        Returns
        -------
        ndarray of float32, shape (n_lines, 5)

        Raises
        ------
        ValueError
            If the documents' lines are not those of ``features``.
        """
        if ends[0] or ends[-1] != len(features):
            raise ValueError(
                f"documents of the lines {ends[0]} to {ends[-1]}, but features of {len(features)}"
            )
        features = np.ascontiguousarray(features, dtype=np.float32)
        if _KERNEL is not None and _KERNEL.vectors():
            read: Floats = _KERNEL.read(features, ends, *self._packed, _KERNEL.vectors())
            return read
        logits = np.empty((len(features), N_LOGITS), dtype=np.float32)
        for some in _groups(ends):
            first, last = some[0], some[-1]
            logits[first:last] = _read(self._numbers, features[first:last], some - first)
        return logits

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave behind what was made for this processor."""
        return Network, (dict(self.parameters),)

    @cached_property
    def _numbers(self) -> dict[str, Floats]:
        """All of it in single precision, which the products of matrices are made in."""
        return {name: values.astype(np.float32) for name, values in self.parameters.items()}

    @cached_property
    def _packed(self) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], tuple[Any, ...]]:
        """First layer, blocks and last layer as the kernel reads them: inputs of one product side by side."""
        p = self.parameters
        blocks = []
        for block in range(len(DILATIONS)):
            name = f"block{block}"
            taps = _by_tap(p[f"{name}.weight"])
            weight = _side_by_side(taps, 4) if _KERNEL.vectors() == 512 else _pairs(taps)
            page = _pairs(p[f"{name}.page"])
            grid, step, page_step, bias = (p[f"{name}.{of}"] for of in ("grid", "step", "page_step", "bias"))
            blocks.append(
                (grid, weight, step, page, page_step, bias, np.array(shifts(block), dtype=np.int64))
            )
        last = np.pad(p["out.weight"], ((0, 0), (0, 16 - N_LOGITS)))
        return (
            (p["in.grid"], _pairs(p["in.weight"]), p["in.step"], p["in.bias"]),
            blocks,
            (p["out.grid"], _pairs(last), p["out.step"], p["out.bias"]),
        )


def _rounded(weights: Floats, most: int | None = None) -> tuple[NDArray[np.int8], Floats]:
    """Round weights, shape (n_inputs, n_outputs), to whole numbers of a byte; gives the worth of one, too.

    ``most`` is what the whole numbers of an output may come to.
    """
    step = np.abs(weights).max(axis=0) / TOP_WEIGHT
    if most is not None:
        step = np.maximum(step, np.abs(weights).sum(axis=0) / most)
    step = np.where(step > 0, step, 1)
    return np.rint(weights / step).astype(np.int8), step.astype(np.float32)


def _by_tap(weight: NDArray[Any]) -> NDArray[Any]:
    """Put the taps of a block's weights, which stand beside one another, below one another."""
    return weight.reshape(HIDDEN, WIDTH, HIDDEN).swapaxes(0, 1).reshape(-1, HIDDEN)


def _side_by_side(weight: NDArray[np.int8], n: int) -> NDArray[np.int8]:
    """Put the weights of ``n`` inputs of an output side by side: shape (n_inputs / n, n_outputs * n)."""
    weight = np.pad(weight, ((0, -len(weight) % n), (0, 0)))
    return weight.reshape(-1, n, weight.shape[1]).swapaxes(1, 2).reshape(len(weight) // n, -1)


def _pairs(weight: NDArray[np.int8]) -> NDArray[np.int16]:
    """Put the weights of two inputs side by side, in 16 bits."""
    return _side_by_side(weight, 2).astype(np.int16)


def _groups(ends: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Cut documents into groups of about ``_AT_ONCE`` rows; gives the ends of each group's documents."""
    if ends[-1] <= _AT_ONCE:
        return [ends]
    cuts = np.flatnonzero(np.diff(ends[:-1] // _AT_ONCE)) + 1
    bounds = [0, *cuts.tolist(), len(ends) - 1]
    return [ends[a : b + 1] for a, b in pairwise(bounds)]


def _read(p: Mapping[str, Floats], features: Floats, ends: NDArray[np.int64]) -> Floats:
    """Run the network over some documents."""
    size: Floats = np.maximum(np.diff(ends), 1).astype(np.float32)[:, None]
    n = features.shape[1]
    numbers: Floats = features * p["in.grid"][:n]
    np.clip(numbers, -TOP_FEATURE, TOP_FEATURE, out=numbers)
    hidden: Floats = np.rint(numbers, out=numbers) @ p["in.weight"][:n]
    sums = _activate(hidden, p["in.step"], p["in.bias"], ends)
    taps = np.empty((len(hidden), WIDTH * HIDDEN), dtype=np.float32)
    for block in range(len(DILATIONS)):
        name = f"block{block}"
        grid = p[f"{name}.grid"]
        np.matmul(_whole(hidden, grid), p[f"{name}.weight"], out=taps)
        page: Floats = _whole(np.divide(sums, size), grid, FINER) @ p[f"{name}.page"]
        page *= p[f"{name}.page_step"]
        page += p[f"{name}.bias"]
        sums = _convolve(hidden, taps, page, ends, step=p[f"{name}.step"], shifts=shifts(block))
    logits: Floats = _whole(hidden, p["out.grid"], FINER) @ p["out.weight"]
    logits *= p["out.step"]
    logits += p["out.bias"]
    return logits


def _whole(hidden: Floats, grid: Floats, finer: int = 1) -> Floats:
    """Round channels to whole numbers."""
    numbers: Floats = hidden * (grid * np.float32(finer))
    np.minimum(numbers, np.float32(TOP_CHANNEL * finer), out=numbers)
    return np.rint(numbers, out=numbers)


def _activate(hidden: Floats, step: Floats, bias: Floats, ends: NDArray[np.int64]) -> Floats:
    """Make the first layer of its whole numbers, in place; gives the sums of each document's rows."""
    if _KERNEL is not None:
        sums: Floats = _KERNEL.activate(hidden, step, bias, ends)
        return sums
    hidden *= step
    hidden += bias
    np.maximum(hidden, 0, out=hidden)
    return _sums(hidden, ends)


def _convolve(
    hidden: Floats,
    taps: Floats,
    page: Floats,
    ends: NDArray[np.int64],
    *,
    step: Floats,
    shifts: Sequence[int],
) -> Floats:
    """Add a block's update to ``hidden``, in place; gives the sums of each document's rows.

    Parameters
    ----------
    hidden : ndarray of float32, shape (n_lines, HIDDEN)
    taps : ndarray of float32, shape (n_lines, WIDTH * HIDDEN)
        What each line says to the lines around it, in whole numbers; overwritten.
    page : ndarray of float32, shape (n_documents, HIDDEN)
        What its document says to each line.
    ends : ndarray of int64, shape (n_documents + 1,)
    step : ndarray of float32, shape (HIDDEN,)
        What a whole number is worth.
    shifts : sequence of int
        How far on the line stands that each of the taps is taken from.
    """
    if _KERNEL is not None:
        sums: Floats = _KERNEL.convolve(hidden, taps, step, page, ends, shifts)
        return sums
    sizes = np.diff(ends)
    line = np.arange(len(hidden))
    from_start = line - np.repeat(ends[:-1], sizes)
    from_end = np.repeat(ends[1:], sizes) - line
    update = np.zeros_like(hidden)
    for tap, shift in enumerate(shifts):
        values = taps[:, tap * HIDDEN : (tap + 1) * HIDDEN]
        if shift:  # nothing reaches from one document into the next
            values[from_start < shift if shift > 0 else from_end <= -shift] = 0
        hearing, heard = rows_of(shift, len(hidden))
        update[hearing] += values[heard]
    update *= step
    update += np.repeat(page, sizes, axis=0)
    np.maximum(update, 0, out=update)
    hidden += update
    return _sums(hidden, ends)


def _sums(hidden: Floats, ends: NDArray[np.int64]) -> Floats:
    """Sum each document's rows, one after another."""
    sums = [hidden[first:last].sum(axis=0) for first, last in pairwise(ends.tolist())]
    return np.array(sums, dtype=np.float32).reshape(len(ends) - 1, HIDDEN)


def shifts(block: int) -> list[int]:
    """Say how far on the lines stand that a line hears in a block."""
    return [(tap - WIDTH // 2) * DILATIONS[block] for tap in range(WIDTH)]


def rows_of(shift: int, n_rows: int) -> tuple[slice, slice]:
    """Give the rows that hear a row ``shift`` further on, and the rows that they hear."""
    n_hearing = max(n_rows - abs(shift), 0)
    first = max(-shift, 0)
    return slice(first, first + n_hearing), slice(first + shift, first + shift + n_hearing)


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    shifted: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(logits: Floats) -> Floats:
    """Probabilities of a logit each."""
    shares: Floats = np.reciprocal(1 + np.exp(-np.clip(logits, -30, 30)), dtype=logits.dtype)
    return shares
