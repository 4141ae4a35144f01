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
    MAX_TAPS = 16


cdef extern from *:
    """
    #include <stddef.h>

    /* Add to a line's channels what its page and the lines around it say, if that is above zero, and the line to
       its document's total; each channel by itself, so vectors of any width give the same sums. */
    typedef void update_line(
        float *row, float *total, const float *page, const float *const *sources, ptrdiff_t n_sources,
        ptrdiff_t width);

    static inline void update_channels(
        float *row, float *total, const float *page, const float *const *sources, ptrdiff_t n_sources,
        ptrdiff_t first, ptrdiff_t width
    ) {
        for (ptrdiff_t c = first; c < width; c++) {
            float update = page[c];
            for (ptrdiff_t k = 0; k < n_sources; k++)
                update += sources[k][c];
            row[c] += update > 0 ? update : 0;
            total[c] += row[c];
        }
    }

    #if defined(__GNUC__)
    #define UPDATE_LINE(NAME, BYTES)                                                                        \
        static void NAME(                                                                                   \
            float *row, float *total, const float *page, const float *const *sources, ptrdiff_t n_sources,  \
            ptrdiff_t width                                                                                 \
        ) {                                                                                                 \
            typedef float numbers __attribute__((vector_size(BYTES), aligned(4), may_alias));               \
            typedef int lanes __attribute__((vector_size(BYTES), aligned(4), may_alias));                   \
            ptrdiff_t c = 0;                                                                                \
            for (; c + BYTES / 4 <= width; c += BYTES / 4) {                                                \
                numbers update = *(const numbers *) (page + c);                                             \
                for (ptrdiff_t k = 0; k < n_sources; k++)                                                   \
                    update += *(const numbers *) (sources[k] + c);                                          \
                numbers sum = *(numbers *) (row + c) + (numbers) ((lanes) update & (update > 0));           \
                *(numbers *) (row + c) = sum;                                                               \
                *(numbers *) (total + c) += sum;                                                            \
            }                                                                                               \
            update_channels(row, total, page, sources, n_sources, c, width);                                \
        }
    UPDATE_LINE(update_narrow, 16)
    #if defined(__x86_64__)
    __attribute__((target("avx2"))) UPDATE_LINE(update_wide, 32)
    static update_line *updating(void) {
        return __builtin_cpu_supports("avx2") ? update_wide : update_narrow;
    }
    #else
    static update_line *updating(void) { return update_narrow; }
    #endif
    #else
    static void update_anywhere(
        float *row, float *total, const float *page, const float *const *sources, ptrdiff_t n_sources,
        ptrdiff_t width
    ) {
        update_channels(row, total, page, sources, n_sources, 0, width);
    }
    static update_line *updating(void) { return update_anywhere; }
    #endif
    """
    ctypedef void update_line(
        float* row,
        float* total,
        const float* page,
        (const float*)* sources,
        Py_ssize_t n_sources,
        Py_ssize_t width,
    ) noexcept nogil
    update_line* updating() noexcept nogil


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
    cdef Py_ssize_t d, i, tap, other, n_sources
    cdef int64_t[::1] shift = np.array(shifts, dtype=np.int64)
    sums_array = np.zeros((n_documents, width), dtype=np.float32)
    cdef float[:, ::1] sums = sums_array
    cdef (const float*)[MAX_TAPS] sources
    cdef update_line* update = updating()
    if page.shape[1] != width or taps.shape[1] != n_taps * width or n_taps > MAX_TAPS:
        raise ValueError("as many channels from the page and from each tap")
    if not width:
        return sums_array
    for d in range(n_documents):
        for i in range(ends[d], ends[d + 1]):
            n_sources = 0
            for tap in range(n_taps):
                other = i + shift[tap]
                if ends[d] <= other < ends[d + 1]:  # width values stand there, as in each row below
                    sources[n_sources] = &taps[other, tap * width]
                    n_sources += 1
            update(&hidden[i, 0], &sums[d, 0], &page[d, 0], sources, n_sources, width)
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
    float labelled,
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
        if not 0 <= main[i] <= 1:
            return stays_array
        highest = max(highest, main[i])
        above[_step(main[i])] += max(words[i], 1)
    if highest <= nothing:
        for i in range(n):
            stays[i] = labels[i, 0] >= labelled
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
