# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""What the second stage does between its matrix products, compiled.

:mod:`boilerplate_ds.model.network` is the definition; results are the same bit by bit.
"""

from libc.stdint cimport int64_t

import numpy as np


def activate(float[:, ::1] hidden, const float[::1] bias, const int64_t[::1] ends):
    """Make the first layer of its products, in place; gives the sums of each document's rows."""
    cdef Py_ssize_t n_documents = ends.shape[0] - 1, width = hidden.shape[1], d, i, c
    cdef float value
    sums_array = np.zeros((n_documents, width), dtype=np.float32)
    cdef float[:, ::1] sums = sums_array
    if bias.shape[0] != width:
        raise ValueError("a bias for each channel")
    if not width:
        return sums_array
    cdef const float* to_add = &bias[0]  # width values in each of these rows
    cdef float* row
    cdef float* total
    for d in range(n_documents):
        total = &sums[d, 0]
        for i in range(ends[d], ends[d + 1]):
            row = &hidden[i, 0]
            for c in range(width):
                value = row[c] + to_add[c]
                value = value if value > 0 else 0
                row[c] = value
                total[c] += value
    return sums_array


def convolve(
    float[:, ::1] hidden,
    const float[:, ::1] taps,
    const float[:, ::1] page,
    const int64_t[::1] ends,
    shifts,
):
    """Add a block's update to ``hidden``, in place; gives the sums of each document's rows."""
    cdef Py_ssize_t n_documents = ends.shape[0] - 1, width = hidden.shape[1], n_taps = len(shifts)
    cdef Py_ssize_t d, i, c, tap, other
    cdef int64_t[::1] shift = np.array(shifts, dtype=np.int64)
    sums_array = np.zeros((n_documents, width), dtype=np.float32)
    update_array = np.empty(width, dtype=np.float32)
    cdef float[:, ::1] sums = sums_array
    cdef float[::1] update_row = update_array
    if page.shape[1] != width or taps.shape[1] != n_taps * width:
        raise ValueError("as many channels from the page and from each tap")
    if not width:
        return sums_array
    cdef float* update = &update_row[0]  # width values in each of these rows, and behind each of these taps
    cdef float* row
    cdef float* total
    cdef const float* source
    for d in range(n_documents):
        total = &sums[d, 0]
        for i in range(ends[d], ends[d + 1]):
            source = &page[d, 0]
            for c in range(width):
                update[c] = source[c]
            for tap in range(n_taps):
                other = i + shift[tap]
                if ends[d] <= other < ends[d + 1]:
                    source = &taps[other, tap * width]
                    for c in range(width):
                        update[c] += source[c]
            row = &hidden[i, 0]
            for c in range(width):
                row[c] += update[c] if update[c] > 0 else 0
                total[c] += row[c]
    return sums_array
