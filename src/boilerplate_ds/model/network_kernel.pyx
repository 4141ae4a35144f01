# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""What the second stage does between its matrix products, and after them, compiled.

:mod:`boilerplate_ds.model.network` and :mod:`boilerplate_ds.model.runtime` are the definitions; results are
the same bit by bit. Exponentials are left to numpy, whose last bit is no other library's.
"""

from libc.stdint cimport int8_t, int16_t, int64_t, uint8_t

import numpy as np

cdef enum:
    N_LABELS = 4
    N_BARS = 64
    MAX_TAPS = 16
    MAX_BLOCKS = 16


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

    typedef struct {
        const float *grid; /* what inputs are multiplied by before they are rounded */
        const void *weight; /* of inputs that are multiplied together, side by side */
        const float *step, *bias;
    } layer;

    #if defined(__x86_64__) && (defined(__clang__) ? __clang_major__ >= 8 : __GNUC__ >= 8)
    #include <immintrin.h>
    #define BYTES __attribute__((target("avx512f,avx512vnni")))

    static int reads_bytes_here(void) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
    }

    BYTES static inline __m512i side_by_side(const void *inputs) { /* 4 bytes, or 2 numbers, sixteen times */
        int32_t some;
        memcpy(&some, inputs, 4);
        return _mm512_set1_epi32(some);
    }

    BYTES static inline __m512 worth(__m512i sum, const float *step, const float *more) {
        return _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(step)), _mm512_loadu_ps(more));
    }

    /* Round channels as _whole does; numbers of 16 bits. */
    BYTES static inline void whole(int16_t *numbers, const float *channels, const float *grid, float finer) {
        const __m512 top = _mm512_set1_ps(255 * finer);
        for (int c = 0; c < CHANNELS; c += 16) {
            __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(grid + c), _mm512_set1_ps(finer));
            __m512 value = _mm512_min_ps(_mm512_mul_ps(_mm512_loadu_ps(channels + c), scale), top);
            _mm256_storeu_si256((__m256i *) (numbers + c), _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(value)));
        }
    }

    /* Read the features of up to four lines into their channels; numbers has room for four rows of n_padded. */
    BYTES static void read_features(
        float *hidden, const float *features, ptrdiff_t n_lines, ptrdiff_t stride, ptrdiff_t n_features,
        const layer *in, int16_t *numbers, ptrdiff_t n_padded
    ) {
        const __m512 top = _mm512_set1_ps(2047), bottom = _mm512_set1_ps(-2047);
        __m512i sum[4][3] = {{{0}}};
        for (ptrdiff_t i = 0; i < n_lines; i++) {
            for (ptrdiff_t k = 0; k < n_features; k += 16) {
                __mmask16 there = n_features - k < 16 ? (__mmask16) ((1u << (n_features - k)) - 1) : 0xFFFF;
                __m512 value = _mm512_mul_ps(
                    _mm512_maskz_loadu_ps(there, features + i * stride + k),
                    _mm512_maskz_loadu_ps(there, in->grid + k));
                value = _mm512_min_ps(_mm512_max_ps(value, bottom), top);
                _mm256_storeu_si256(
                    (__m256i *) (numbers + i * n_padded + k), _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(value)));
            }
        }
        const int16_t *weight = (const int16_t *) in->weight;
        for (ptrdiff_t k = 0; k < n_features; k += 2, weight += 2 * CHANNELS) {
            for (int j = 0; j < 3; j++) {
                __m512i w = _mm512_loadu_si512(weight + 32 * j);
                for (int i = 0; i < 4; i++)
                    sum[i][j] = _mm512_dpwssd_epi32(sum[i][j], side_by_side(numbers + i * n_padded + k), w);
            }
        }
        for (ptrdiff_t i = 0; i < n_lines; i++)
            for (int j = 0; j < 3; j++) {
                __m512 value = worth(sum[i][j], in->step + 16 * j, in->bias + 16 * j);
                _mm512_storeu_ps(hidden + i * CHANNELS + 16 * j, _mm512_max_ps(value, _mm512_setzero_ps()));
            }
    }

    /* Let the lines of a document hear one another; bytes has room for a row a line and one more. */
    BYTES static void read_block(
        float *hidden, ptrdiff_t n_lines, const layer *block, const layer *page, const int64_t *shifts,
        ptrdiff_t n_taps, uint8_t *bytes
    ) {
        const __m512 top = _mm512_set1_ps(255);
        const uint8_t *nothing = bytes + n_lines * CHANNELS;
        int16_t numbers[CHANNELS];
        float mean[CHANNELS], from_page[CHANNELS], size = (float) n_lines;
        __m512 total[3];
        for (int j = 0; j < 3; j++)
            total[j] = _mm512_setzero_ps();
        memset(bytes + n_lines * CHANNELS, 0, CHANNELS);
        for (ptrdiff_t i = 0; i < n_lines; i++)
            for (int j = 0; j < 3; j++) {
                __m512 value = _mm512_loadu_ps(hidden + i * CHANNELS + 16 * j);
                total[j] = _mm512_add_ps(total[j], value);
                value = _mm512_min_ps(_mm512_mul_ps(value, _mm512_loadu_ps(block->grid + 16 * j)), top);
                _mm_storeu_si128(
                    (__m128i *) (bytes + i * CHANNELS + 16 * j), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value)));
            }
        for (int j = 0; j < 3; j++)
            _mm512_storeu_ps(mean + 16 * j, _mm512_div_ps(total[j], _mm512_set1_ps(size)));
        whole(numbers, mean, block->grid, 8);
        for (int j = 0; j < 3; j++) {
            const int16_t *weight = (const int16_t *) page->weight + 32 * j;
            __m512i sum = {0};
            for (int k = 0; k < CHANNELS; k += 2, weight += 2 * CHANNELS)
                sum = _mm512_dpwssd_epi32(sum, side_by_side(numbers + k), _mm512_loadu_si512(weight));
            _mm512_storeu_ps(from_page + 16 * j, worth(sum, page->step + 16 * j, page->bias + 16 * j));
        }
        for (ptrdiff_t first = 0; first < n_lines; first += 4) {
            ptrdiff_t count = n_lines - first < 4 ? n_lines - first : 4;
            const int8_t *weight = (const int8_t *) block->weight;
            __m512i sum[4][3] = {{{0}}};
            for (ptrdiff_t tap = 0; tap < n_taps; tap++) {
                const uint8_t *source[4];
                for (ptrdiff_t i = 0; i < 4; i++) {
                    ptrdiff_t other = first + i + shifts[tap];
                    source[i] = other >= 0 && other < n_lines ? bytes + other * CHANNELS : nothing;
                }
                for (int k = 0; k < CHANNELS; k += 4, weight += 4 * CHANNELS)
                    for (int j = 0; j < 3; j++) {
                        __m512i w = _mm512_loadu_si512(weight + 64 * j);
                        for (int i = 0; i < 4; i++)
                            sum[i][j] = _mm512_dpbusd_epi32(sum[i][j], side_by_side(source[i] + k), w);
                    }
            }
            for (ptrdiff_t i = 0; i < count; i++)
                for (int j = 0; j < 3; j++) {
                    float *row = hidden + (first + i) * CHANNELS + 16 * j;
                    __m512 update = worth(sum[i][j], block->step + 16 * j, from_page + 16 * j);
                    update = _mm512_max_ps(update, _mm512_setzero_ps());
                    _mm512_storeu_ps(row, _mm512_add_ps(_mm512_loadu_ps(row), update));
                }
        }
    }

    /* The logits of a line, of which there are up to sixteen. */
    BYTES static void read_logits(float *logits, ptrdiff_t n_logits, const float *hidden, const layer *out) {
        int16_t numbers[CHANNELS];
        __mmask16 there = (__mmask16) ((1u << n_logits) - 1);
        __m512i sum = {0};
        whole(numbers, hidden, out->grid, 8);
        for (int k = 0; k < CHANNELS; k += 2)
            sum = _mm512_dpwssd_epi32(
                sum, side_by_side(numbers + k), _mm512_loadu_si512((const int16_t *) out->weight + 16 * k));
        __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_maskz_loadu_ps(there, out->step));
        _mm512_mask_storeu_ps(logits, there, _mm512_add_ps(value, _mm512_maskz_loadu_ps(there, out->bias)));
    }
    #else
    static int reads_bytes_here(void) { return 0; }
    static void read_features(
        float *hidden, const float *features, ptrdiff_t n_lines, ptrdiff_t stride, ptrdiff_t n_features,
        const layer *in, int16_t *numbers, ptrdiff_t n_padded) {}
    static void read_block(
        float *hidden, ptrdiff_t n_lines, const layer *block, const layer *page, const int64_t *shifts,
        ptrdiff_t n_taps, uint8_t *bytes) {}
    static void read_logits(float *logits, ptrdiff_t n_logits, const float *hidden, const layer *out) {}
    #endif
    """
    enum:
        CHANNELS

    ctypedef struct layer:
        const float* grid
        const void* weight
        const float* step
        const float* bias

    bint reads_bytes_here() noexcept nogil
    void read_features(
        float* hidden,
        const float* features,
        Py_ssize_t n_lines,
        Py_ssize_t stride,
        Py_ssize_t n_features,
        const layer* first,
        int16_t* numbers,
        Py_ssize_t n_padded,
    ) noexcept nogil
    void read_block(
        float* hidden,
        Py_ssize_t n_lines,
        const layer* block,
        const layer* page,
        const int64_t* shifts,
        Py_ssize_t n_taps,
        uint8_t* bytes,
    ) noexcept nogil
    void read_logits(float* logits, Py_ssize_t n_logits, const float* hidden, const layer* last) noexcept nogil


def reads_bytes():
    """Whether this processor multiplies bytes and adds them up (AVX-512 VNNI), which :func:`read` needs."""
    return bool(reads_bytes_here())


cdef layer layer_of(
    const float[::1] grid, const void* weight, Py_ssize_t n_inputs, const float[::1] step, const float[::1] bias,
    Py_ssize_t n_outputs,
) except *:
    cdef layer made
    if grid.shape[0] != n_inputs or step.shape[0] != n_outputs or bias.shape[0] != n_outputs:
        raise ValueError("a grid for each input, a step and a bias for each output")
    made.grid, made.weight, made.step, made.bias = &grid[0], weight, &step[0], &bias[0]
    return made


def read(const float[:, ::1] features, const int64_t[::1] ends, tuple first_layer, list blocks, tuple last_layer):
    """Run the whole network over documents: :func:`boilerplate_ds.model.network._read`, (n_lines, n_logits).

    Layers are as ``Network._packed`` makes them.
    """
    cdef Py_ssize_t n_features = features.shape[1], n_documents = ends.shape[0] - 1, n_blocks = len(blocks)
    cdef Py_ssize_t n_logits, d, b, i, first, size, most = 0, n_padded = (n_features + 15) // 16 * 16
    cdef layer into, out
    cdef (layer)[MAX_BLOCKS] block, page
    cdef (const int64_t*)[MAX_BLOCKS] shifts
    cdef Py_ssize_t[MAX_BLOCKS] n_taps
    cdef const int16_t[:, ::1] pairs
    cdef const int8_t[:, :, ::1] fours
    cdef const int64_t[::1] shift
    if not reads_bytes_here():
        raise RuntimeError("this processor can't read bytes")
    grid, weight, step, bias = first_layer
    pairs = weight
    if n_features > grid.shape[0] or pairs.shape[0] != (grid.shape[0] + 1) // 2 or pairs.shape[1] != 2 * CHANNELS:
        raise ValueError("weights for every feature")
    into = layer_of(grid, &pairs[0, 0], grid.shape[0], step, bias, CHANNELS)
    if not 0 < n_blocks <= MAX_BLOCKS:
        raise ValueError(f"1 to {MAX_BLOCKS} blocks")
    for b in range(n_blocks):
        grid, weight, step, of_page, page_step, bias, around = blocks[b]
        fours, pairs, shift = weight, of_page, around
        n_taps[b] = shift.shape[0]
        if not n_taps[b] or fours.shape[0] != n_taps[b] or fours.shape[1] != CHANNELS // 4:
            raise ValueError("weights for every tap")
        if fours.shape[2] != 4 * CHANNELS or pairs.shape[0] != CHANNELS // 2 or pairs.shape[1] != 2 * CHANNELS:
            raise ValueError("weights for every channel")
        block[b] = layer_of(grid, &fours[0, 0, 0], CHANNELS, step, bias, CHANNELS)
        page[b] = layer_of(grid, &pairs[0, 0], CHANNELS, page_step, bias, CHANNELS)
        shifts[b] = &shift[0]
    grid, weight, step, bias = last_layer
    pairs = weight
    n_logits = len(step)
    if not 0 < n_logits <= 16 or pairs.shape[0] != CHANNELS // 2 or pairs.shape[1] != 32:
        raise ValueError("weights for every logit")
    out = layer_of(grid, &pairs[0, 0], CHANNELS, step, bias, n_logits)

    logits_array = np.empty((features.shape[0], n_logits), dtype=np.float32)
    cdef float[:, ::1] logits = logits_array
    for d in range(n_documents):
        if not 0 <= ends[d] <= ends[d + 1] <= features.shape[0]:
            raise IndexError("a document ends before it begins, or after the last line")
        most = max(most, ends[d + 1] - ends[d])
    if not most or not n_features:
        raise ValueError("no features to read")
    cdef float[:, ::1] hidden = np.empty((most, CHANNELS), dtype=np.float32)
    cdef uint8_t[:, ::1] bytes_of_lines = np.empty((most + 1, CHANNELS), dtype=np.uint8)
    cdef int16_t[:, ::1] numbers = np.zeros((4, n_padded), dtype=np.int16)
    for d in range(n_documents):
        first, size = ends[d], ends[d + 1] - ends[d]
        if not size:
            continue
        for i in range(0, size, 4):
            read_features(
                &hidden[i, 0], &features[first + i, 0], min(size - i, 4), n_features, n_features, &into,
                &numbers[0, 0], n_padded,
            )
        for b in range(n_blocks):
            read_block(&hidden[0, 0], size, &block[b], &page[b], shifts[b], n_taps[b], &bytes_of_lines[0, 0])
        for i in range(size):
            read_logits(&logits[first + i, 0], n_logits, &hidden[i, 0], &out)
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
    float sure,
    float close,
):
    """Say which lines stay: :meth:`boilerplate_ds.model.runtime.Reading.chosen`; bool, shape (n_lines,)."""
    cdef Py_ssize_t n = main.shape[0], first = reviewers.start, every = reviewers.step
    cdef Py_ssize_t i, bar, other, chosen_bar = 0
    cdef double[N_BARS] above, score
    cdef double theirs, best = -1
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
        stays[i] = _step(main[i]) >= chosen_bar or (labels[i, 0] >= sure and main[i] >= close)
    return stays_array


cdef inline Py_ssize_t _step(float probability) noexcept:
    return min(<Py_ssize_t> (probability * N_BARS), N_BARS - 1)
