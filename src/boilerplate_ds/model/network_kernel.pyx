# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""The second stage, compiled: the whole network where there are vectors for it, else between matrix products.

:mod:`boilerplate_ds.model.network` and :mod:`boilerplate_ds.model.runtime` are the definitions; results are
the same bit by bit. Exponentials are left to numpy, whose last bit is no other library's.
"""

from libc.stdint cimport int8_t, int16_t, int64_t

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
        float *row, float *total, const float *step, const float *page, const float *const *sources,
        ptrdiff_t n_sources, ptrdiff_t width);

    static inline void update_channels(
        float *row, float *total, const float *step, const float *page, const float *const *sources,
        ptrdiff_t n_sources, ptrdiff_t first, ptrdiff_t width
    ) {
        for (ptrdiff_t c = first; c < width; c++) {
            float update = 0;
            for (ptrdiff_t k = 0; k < n_sources; k++)
                update += sources[k][c];
            update = update * step[c] + page[c];
            row[c] += update > 0 ? update : 0;
            total[c] += row[c];
        }
    }

    #if defined(__GNUC__)
    #define UPDATE_LINE(NAME, BYTES)                                                                        \
        static void NAME(                                                                                   \
            float *row, float *total, const float *step, const float *page, const float *const *sources,    \
            ptrdiff_t n_sources, ptrdiff_t width                                                            \
        ) {                                                                                                 \
            typedef float numbers __attribute__((vector_size(BYTES), aligned(4), may_alias));               \
            typedef int lanes __attribute__((vector_size(BYTES), aligned(4), may_alias));                   \
            ptrdiff_t c = 0;                                                                                \
            for (; c + BYTES / 4 <= width; c += BYTES / 4) {                                                \
                numbers update = {0};                                                                       \
                for (ptrdiff_t k = 0; k < n_sources; k++)                                                   \
                    update += *(const numbers *) (sources[k] + c);                                          \
                update = update * *(const numbers *) (step + c) + *(const numbers *) (page + c);            \
                numbers sum = *(numbers *) (row + c) + (numbers) ((lanes) update & (update > 0));           \
                *(numbers *) (row + c) = sum;                                                               \
                *(numbers *) (total + c) += sum;                                                            \
            }                                                                                               \
            update_channels(row, total, step, page, sources, n_sources, c, width);                                \
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
        float *row, float *total, const float *step, const float *page, const float *const *sources,
        ptrdiff_t n_sources, ptrdiff_t width
    ) {
        update_channels(row, total, step, page, sources, n_sources, 0, width);
    }
    static update_line *updating(void) { return update_anywhere; }
    #endif
    """
    ctypedef void update_line(
        float* row,
        float* total,
        const float* step,
        const float* page,
        (const float*)* sources,
        Py_ssize_t n_sources,
        Py_ssize_t width,
    ) noexcept nogil
    update_line* updating() noexcept nogil


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #define CHANNELS 48
    #define MAX_BLOCKS 16

    typedef struct {
        const float *grid; /* what inputs are multiplied by before they are rounded */
        const void *weight; /* of inputs that are multiplied together, side by side */
        const float *step, *bias;
    } layer;

    typedef struct {
        layer in, block[MAX_BLOCKS], page[MAX_BLOCKS], out;
        const int64_t *shifts[MAX_BLOCKS];
        ptrdiff_t n_taps[MAX_BLOCKS], n_blocks;
    } network;

    typedef void read_network(
        float *logits, ptrdiff_t n_logits, const float *features, ptrdiff_t n_lines, ptrdiff_t n_features,
        const network *layers, float *hidden, int16_t *numbers, ptrdiff_t n_padded, void *scratch);

    /* as network.py has them */
    #define TOP_FEATURE 2047
    #define TOP_CHANNEL 255
    #define FINER 8

    /* on Windows hatch_build.py does not forbid fused multiply-adds */
    #if defined(__x86_64__) && !defined(_WIN32) && (defined(__clang__) ? __clang_major__ >= 8 : __GNUC__ >= 8)
    #include <immintrin.h>

    #define NAME(function) function##_512
    #define TARGET __attribute__((target("avx512f,avx512vnni")))
    #define LANES 16
    #define GROUP 4
    #define FLOATS __m512
    #define NUMBERS __m512i
    #define LOAD(from) _mm512_loadu_ps(from)
    #define STORE(to, value) _mm512_storeu_ps(to, value)
    #define SET(value) _mm512_set1_ps(value)
    #define ADD(a, b) _mm512_add_ps(a, b)
    #define MULTIPLY(a, b) _mm512_mul_ps(a, b)
    #define DIVIDE(a, b) _mm512_div_ps(a, b)
    #define LEAST(a, b) _mm512_min_ps(a, b)
    #define MOST(a, b) _mm512_max_ps(a, b)
    #define TO_NUMBERS(value) _mm512_cvtps_epi32(value)
    #define TO_FLOATS(value) _mm512_cvtepi32_ps(value)
    #define SET_NUMBER(value) _mm512_set1_epi32(value)
    #define LOAD_NUMBERS(from) _mm512_loadu_si512(from)
    #define STORE_NUMBERS(to, value) _mm256_storeu_si256((__m256i *) (to), _mm512_cvtepi32_epi16(value))
    #define DOT_PAIRS(sum, a, b) _mm512_dpwssd_epi32(sum, a, b)
    #define CHANNEL uint8_t
    #define WEIGHT int8_t
    #define PER 4
    #define STORE_CHANNELS(to, value) _mm_storeu_si128((__m128i *) (to), _mm512_cvtepi32_epi8(value))
    #define DOT(sum, a, b) _mm512_dpbusd_epi32(sum, a, b)
    #include "network_vectors.h"

    #define NAME(function) function##_256
    #define TARGET __attribute__((target("avx2")))
    #define LANES 8
    #define GROUP 2
    #define FLOATS __m256
    #define NUMBERS __m256i
    #define LOAD(from) _mm256_loadu_ps(from)
    #define STORE(to, value) _mm256_storeu_ps(to, value)
    #define SET(value) _mm256_set1_ps(value)
    #define ADD(a, b) _mm256_add_ps(a, b)
    #define MULTIPLY(a, b) _mm256_mul_ps(a, b)
    #define DIVIDE(a, b) _mm256_div_ps(a, b)
    #define LEAST(a, b) _mm256_min_ps(a, b)
    #define MOST(a, b) _mm256_max_ps(a, b)
    #define TO_NUMBERS(value) _mm256_cvtps_epi32(value)
    #define TO_FLOATS(value) _mm256_cvtepi32_ps(value)
    #define SET_NUMBER(value) _mm256_set1_epi32(value)
    #define LOAD_NUMBERS(from) _mm256_loadu_si256((const __m256i *) (from))
    #define STORE_NUMBERS(to, value)                                                                \
        do {                                                                                        \
            __m256i numbers_ = value;                                                               \
            _mm_storeu_si128((__m128i *) (to), _mm_packs_epi32(                                     \
                _mm256_castsi256_si128(numbers_), _mm256_extracti128_si256(numbers_, 1)));          \
        } while (0)
    #define DOT_PAIRS(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
    #define CHANNEL int16_t
    #define WEIGHT int16_t
    #define PER 2
    #define STORE_CHANNELS(to, value) STORE_NUMBERS(to, value)
    #define DOT(sum, a, b) DOT_PAIRS(sum, a, b)
    #include "network_vectors.h"

    static int width_here(void) {
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni"))
            return 512;
        return __builtin_cpu_supports("avx2") ? 256 : 0;
    }
    static read_network *reading(int width) { return width == 512 ? read_document_512 : read_document_256; }
    #else
    static int width_here(void) { return 0; }
    static read_network *reading(int width) { (void) width; return NULL; }
    #endif
    """
    enum:
        CHANNELS
        MAX_BLOCKS

    ctypedef struct layer:
        const float* grid
        const void* weight
        const float* step
        const float* bias

    ctypedef struct network:
        layer into "in"
        layer[MAX_BLOCKS] block
        layer[MAX_BLOCKS] page
        layer out
        (const int64_t*)[MAX_BLOCKS] shifts
        Py_ssize_t[MAX_BLOCKS] n_taps
        Py_ssize_t n_blocks

    ctypedef void read_network(
        float* logits,
        Py_ssize_t n_logits,
        const float* features,
        Py_ssize_t n_lines,
        Py_ssize_t n_features,
        const network* layers,
        float* hidden,
        int16_t* numbers,
        Py_ssize_t n_padded,
        void* scratch,
    ) noexcept nogil

    int width_here() noexcept nogil
    read_network* reading(int width) noexcept nogil


def vectors():
    """Bits of the vectors that :func:`read` can use here, and so the packing that it needs.

    512 with AVX-512 VNNI, which multiplies bytes and adds four products up; 256 with AVX2, which does so with
    two products of 16 bits; else 0, and there is no :func:`read`.
    """
    return width_here()


cdef layer layer_of(
    const float[::1] grid,
    const void* weight,
    const float[::1] step,
    const float[::1] bias,
    Py_ssize_t n_inputs,
    Py_ssize_t n_outputs,
) except *:
    cdef layer made
    if grid.shape[0] != n_inputs or step.shape[0] != n_outputs or bias.shape[0] != n_outputs:
        raise ValueError("a grid for each input, a step and a bias for each output")
    made.grid, made.weight, made.step, made.bias = &grid[0], weight, &step[0], &bias[0]
    return made


cdef const void* fitting(weights, Py_ssize_t n_rows, Py_ssize_t n_columns, dtype) except NULL:
    """Where weights of so many rows and columns begin."""
    cdef const int8_t[:, ::1] fours
    cdef const int16_t[:, ::1] pairs
    if weights.dtype != dtype or weights.shape != (n_rows, n_columns) or not weights.size:
        raise ValueError(f"{n_rows} by {n_columns} weights of {dtype}, not {weights.shape} of {weights.dtype}")
    if dtype == "int8":
        fours = weights
        return &fours[0, 0]
    pairs = weights
    return &pairs[0, 0]


def read(
    const float[:, ::1] features,
    const int64_t[::1] ends,
    tuple first_layer,
    list blocks,
    tuple last_layer,
    int width,
):
    """Run the whole network over documents: :func:`boilerplate_ds.model.network._read`; (n_lines, n_logits).

    Layers are as ``Network._packed`` makes them for vectors of so many bits.
    """
    cdef Py_ssize_t n_features = features.shape[1], n_documents = ends.shape[0] - 1
    cdef Py_ssize_t n_logits, d, b, first, size, most = 0, n_padded = (n_features + 15) // 16 * 16
    cdef Py_ssize_t per = 4 if width == 512 else 2
    cdef network layers
    cdef const int64_t[::1] shift
    if width not in (256, 512) or width > width_here():
        raise ValueError(f"no vectors of {width} bits here")
    grid, weight, step, bias = first_layer
    if not 0 < n_features <= len(grid):
        raise ValueError("weights for every feature")
    layers.into = layer_of(
        grid, fitting(weight, (len(grid) + 1) // 2, 2 * CHANNELS, "int16"), step, bias, len(grid), CHANNELS
    )
    layers.n_blocks = len(blocks)
    if not 0 < layers.n_blocks <= MAX_BLOCKS:
        raise ValueError(f"1 to {MAX_BLOCKS} blocks")
    for b in range(layers.n_blocks):
        grid, weight, step, of_page, page_step, bias, shift = blocks[b]
        if not shift.shape[0]:
            raise ValueError("one tap or more")
        size = shift.shape[0] * CHANNELS // per
        layers.block[b] = layer_of(
            grid, fitting(weight, size, per * CHANNELS, f"int{32 // per}"), step, bias, CHANNELS, CHANNELS
        )
        layers.page[b] = layer_of(
            grid, fitting(of_page, CHANNELS // 2, 2 * CHANNELS, "int16"), page_step, bias, CHANNELS, CHANNELS
        )
        layers.shifts[b], layers.n_taps[b] = &shift[0], shift.shape[0]
    grid, weight, step, bias = last_layer
    n_logits = len(step)
    if not 0 < n_logits <= 16:
        raise ValueError("1 to 16 logits")
    layers.out = layer_of(grid, fitting(weight, CHANNELS // 2, 32, "int16"), step, bias, CHANNELS, n_logits)

    logits_array = np.empty((features.shape[0], n_logits), dtype=np.float32)
    cdef float[:, ::1] logits = logits_array
    for d in range(n_documents):
        if not 0 <= ends[d] <= ends[d + 1] <= features.shape[0]:
            raise IndexError("a document ends before it begins, or after the last line")
        most = max(most, ends[d + 1] - ends[d])
    # rows of lines, with as many more as are read at a time, and of nothing
    cdef float[:, ::1] hidden = np.empty((most + 4, CHANNELS), dtype=np.float32)
    cdef int16_t[:, ::1] scratch = np.empty((most + 1, CHANNELS), dtype=np.int16)
    cdef int16_t[:, ::1] numbers = np.zeros((4, n_padded), dtype=np.int16)
    cdef read_network* read_document = reading(width)
    for d in range(n_documents):
        first, size = ends[d], ends[d + 1] - ends[d]
        if size:
            read_document(
                &logits[first, 0],
                n_logits,
                &features[first, 0],
                size,
                n_features,
                &layers,
                &hidden[0, 0],
                &numbers[0, 0],
                n_padded,
                &scratch[0, 0],
            )
    return logits_array


def activate(
    float[:, ::1] hidden, const float[::1] step, const float[::1] bias, const int64_t[::1] ends
):
    """Make the first layer of its whole numbers, in place; gives the sums of each document's rows."""
    cdef Py_ssize_t n_documents = ends.shape[0] - 1, width = hidden.shape[1], d, i, c
    cdef float value
    sums_array = np.zeros((n_documents, width), dtype=np.float32)
    cdef float[:, ::1] sums = sums_array
    if bias.shape[0] != width or step.shape[0] != width:
        raise ValueError("a step and a bias for each channel")
    if not width:
        return sums_array
    cdef const float* worth = &step[0]  # width values in each of these rows
    cdef const float* to_add = &bias[0]
    cdef float* row
    cdef float* total
    for d in range(n_documents):
        total = &sums[d, 0]
        for i in range(ends[d], ends[d + 1]):
            row = &hidden[i, 0]
            for c in range(width):
                value = row[c] * worth[c] + to_add[c]
                value = value if value > 0 else 0
                row[c] = value
                total[c] += value
    return sums_array


def convolve(
    float[:, ::1] hidden,
    const float[:, ::1] taps,
    const float[::1] step,
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
    if page.shape[1] != width or step.shape[0] != width or taps.shape[1] != n_taps * width or n_taps > MAX_TAPS:
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
            update(&hidden[i, 0], &sums[d, 0], &step[0], &page[d, 0], sources, n_sources, width)
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
    float surely_not,
    float surely,
    float close,
):
    """Say which lines stay: :meth:`boilerplate_ds.model.runtime.Reading.chosen`; bool, shape (n_lines,)."""
    cdef Py_ssize_t n = main.shape[0], first = reviewers.start, every = reviewers.step
    cdef Py_ssize_t i, bar, other, chosen_bar = 0
    cdef double[N_BARS] above, score
    cdef double theirs, best = -1
    cdef float highest = -1
    cdef bint others = False
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
    for bar in range(N_BARS):
        score[bar] = 0
    for other in range(first, N_BARS, every):
        theirs = above[other]
        for bar in range(N_BARS // 2 + 1):
            score[bar] += min(above[bar], theirs) / max(above[bar] + theirs, 1.0)
    for bar in range(N_BARS // 2 + 1):
        if score[bar] > best:
            best, chosen_bar = score[bar], bar
    for i in range(n):
        stays[i] = _step(main[i]) >= chosen_bar or (labels[i, 0] >= surely and main[i] >= close)
        others |= stays[i] and (labels[i, 0] > surely_not or main[i] >= close)
    if others:
        for i in range(n):
            stays[i] &= labels[i, 0] > surely_not or main[i] >= close
    return stays_array


cdef inline Py_ssize_t _step(float probability) noexcept:
    return min(<Py_ssize_t> (probability * N_BARS), N_BARS - 1)
