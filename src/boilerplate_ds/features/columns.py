"""Blocks of feature columns: made of single columns, finished where a kernel made them, put side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boilerplate_ds.compiled import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Block = NDArray[np.float32]

_KERNEL = kernel("boilerplate_ds.features.context_kernel")
_ROUNDING = 1.5 * 2.0**32
"""Next to this number, double precision has nothing finer than 2**-20."""


def log(values: NDArray[Any]) -> Block:
    """Logarithm in single precision: enough for a feature, and twice as fast."""
    logarithm: Block = np.log(values.astype(np.float32))
    return logarithm


def clipped(values: Block, limit: float) -> Block:
    """Cut what is above ``limit`` or below its negative; :func:`numpy.clip` takes its time to start."""
    cut: Block = np.minimum(np.maximum(values, np.float32(-limit)), np.float32(limit))
    return cut


def exact(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to multiples of 2**-20, below 2**31: sums of such numbers are exact, so the same in any order."""
    rounded: NDArray[np.float64] = (values + _ROUNDING) - _ROUNDING
    return rounded


def block_of(columns: Sequence[NDArray[Any]]) -> Block:
    """Make a block of columns of any type."""
    block = np.empty((len(columns[0]), len(columns)), dtype=np.float32)
    for i, column in enumerate(columns):
        block[:, i] = column
    return block


def with_logarithms(
    unfinished: tuple[Block, Block], columns: Sequence[int], scales: Sequence[float]
) -> Block:
    """Finish a kernel's block: put the scaled logarithms of its arguments into their columns.

    Parameters
    ----------
    unfinished : (block, arguments)
        The block, shape (n_lines, n_columns), and a row of arguments for each column that is a logarithm.
    columns : sequence of int
    scales : sequence of float
        Powers of two: then multiplying by one is the same as dividing by its inverse.
    """
    block, arguments = unfinished
    _KERNEL.place(block, np.log(arguments, out=arguments), columns, scales)
    return block


def side_by_side(blocks: list[Block]) -> Block:
    """Put blocks with the same lines beside one another."""
    if _KERNEL is not None:
        joined: Block = _KERNEL.joined(blocks)
        return joined
    return np.concatenate(blocks, axis=1)
