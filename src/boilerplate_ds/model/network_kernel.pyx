# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""What the second stage does between its matrix products, and after them, compiled.

:mod:`boilerplate_ds.model.network` and :mod:`boilerplate_ds.model.runtime` are the definitions; results are
the same bit by bit. Exponentials are left to numpy, whose last bit is no other library's.
"""

from libc.stdint cimport int64_t

import numpy as np

cdef enum:
    N_LABELS = 4
    N_BARS = 64


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


def exponents(const float[:, ::1] logits):
    """What is to be raised for softmax over the labels and for the sigmoid of main content; (n_lines, 5)."""
    cdef Py_ssize_t n = logits.shape[0], i, j
    out_array = np.empty((n, N_LABELS + 1), dtype=np.float32)
    cdef float[:, ::1] out = out_array
    cdef float highest
    for i in range(n):
        highest = logits[i, 0]
        for j in range(1, N_LABELS):
            highest = max(highest, logits[i, j])
        for j in range(N_LABELS):
            out[i, j] = logits[i, j] - highest
        out[i, N_LABELS] = -min(max(logits[i, N_LABELS], <float>-30), <float>30)
    return out_array


def answers(const float[:, ::1] powers):
    """Probability of each label, shape (n_lines, 4), and of being main content, shape (n_lines,)."""
    cdef Py_ssize_t n = powers.shape[0], i, j
    labels_array = np.empty((n, N_LABELS), dtype=np.float32)
    main_array = np.empty(n, dtype=np.float32)
    cdef float[:, ::1] labels = labels_array
    cdef float[::1] main = main_array
    cdef float total, one = 1
    for i in range(n):
        total = powers[i, 0]
        for j in range(1, N_LABELS):
            total += powers[i, j]
        for j in range(N_LABELS):
            labels[i, j] = powers[i, j] / total
        main[i] = one / (one + powers[i, N_LABELS])
    return labels_array, main_array


def chosen(
    const float[:, :] labels,
    const float[:] main,
    const int64_t[:] words,
    reviewers,
    float nothing,
    float sure,
    float close,
):
    """Say which lines stay: :meth:`boilerplate_ds.model.runtime.Reading.chosen`; bool, shape (n_lines,)."""
    cdef Py_ssize_t n = main.shape[0], first = reviewers.start, every = reviewers.step
    cdef Py_ssize_t i, bar, other, chosen_bar = 0
    cdef double[N_BARS] above
    cdef double ours, theirs, score, best = -1
    cdef float highest = -1
    stays_array = np.zeros(n, dtype=bool)
    cdef unsigned char[::1] stays = stays_array.view(np.uint8)
    if every < 1 or first < 0 or labels.shape[0] != n or words.shape[0] != n or labels.shape[1] < 1:
        raise ValueError("labels and words for each line")
    for bar in range(N_BARS):
        above[bar] = 0
    for i in range(n):
        if not 0 <= main[i] <= 1:  # a stranger's weights may give no numbers
            return stays_array
        highest = max(highest, main[i])
        above[_step(main[i])] += max(words[i], 1)
    if not highest > nothing:
        return stays_array
    for bar in range(N_BARS - 2, -1, -1):
        above[bar] += above[bar + 1]
    for bar in range(N_BARS // 2 + 1):
        ours, score = above[bar], 0
        for other in range(first, N_BARS, every):
            theirs = above[other]
            score += min(ours, theirs) / max(ours + theirs, 1)
        if score > best:
            best, chosen_bar = score, bar
    for i in range(n):
        stays[i] = _step(main[i]) >= chosen_bar or (labels[i, 0] >= sure and main[i] >= close)
    return stays_array


cdef inline Py_ssize_t _step(float probability) noexcept:
    return min(<Py_ssize_t> (probability * N_BARS), N_BARS - 1)
