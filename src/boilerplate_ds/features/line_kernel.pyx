# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Characters, words, shapes and tokens of lines, compiled.

:mod:`~boilerplate_ds.features.lines`, :mod:`~boilerplate_ds.features.shape`,
:mod:`~boilerplate_ds.features.layout` and :mod:`~boilerplate_ds.features.text_tokens` are the definitions;
results are the same bit by bit.
"""

from libc.math cimport sqrtf
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from boilerplate_ds.characters cimport Page, letters, page_of
from boilerplate_ds.features.mixing cimport mix

import numpy as np

cdef enum:  # the classes of lines.py
    SPACE, LOWER, UPPER, LETTER, SPACELESS, DIGIT, STOP, COMMA, SEPARATOR, QUOTE, BRACKET, CURRENCY, SYMBOL, BULLET

cdef enum:
    N_CLASSES = 16
    N_SHAPE = 29
    N_CODES = 9
    N_LAYOUT_CODES = 5
    NO_LINE = 1023
    NEWLINE = 10

cdef uint64_t BASE = 0x9E3779B97F4A7C15ULL


cdef struct Tables:
    Py_ssize_t last  # character of the first two
    const uint8_t* classes
    const uint32_t* normal
    const uint8_t* word_kind  # of N_CLASSES


def characters(
    list lines not None,
    Py_ssize_t most,
    const uint8_t[::1] class_table,
    const uint32_t[::1] normal_table,
    const uint8_t[::1] word_kind,
):
    """Lay out the first ``most`` characters of each line: (start, length, classes, normal), number of words."""
    cdef Py_ssize_t n = len(lines), total = 1, i, at, size, last = class_table.shape[0] - 1, n_words = 0
    start_array = np.empty(n, dtype=np.int64)
    length_array = np.empty(n, dtype=np.int64)
    cdef int64_t[::1] start = start_array, length = length_array
    cdef str line
    cdef Page page
    cdef Tables tables
    for i in range(n):
        item = lines[i]
        if type(item) is not str:
            lines[i] = item = "".join((item,))
        size = min(len(<str>item), most)
        start[i] = total
        length[i] = size
        total += size + 1
    class_array = np.empty(total, dtype=np.uint8)
    normal_array = np.empty(total, dtype=np.uint32)
    cdef uint8_t[::1] classes = class_array
    cdef uint32_t[::1] normal = normal_array
    if last < 0 or normal_table.shape[0] <= last or word_kind.shape[0] != N_CLASSES:
        raise ValueError("tables for the same characters, and for each class")
    tables.last, tables.classes, tables.normal = last, &class_table[0], &normal_table[0]
    tables.word_kind = &word_kind[0]
    classes[0] = SPACE
    normal[0] = NEWLINE
    for i in range(n):
        line = lines[i]
        size = length[i]
        at = start[i]
        if size:
            if at + size >= total or size > len(line):
                raise ValueError("a line changed while it was read")
            page = page_of(line)
            if page.kind == 1:
                n_words += _lay_out(<const uint8_t*>page.data, size, tables, &classes[at], &normal[at])
            elif page.kind == 2:
                n_words += _lay_out(<const uint16_t*>page.data, size, tables, &classes[at], &normal[at])
            else:
                n_words += _lay_out(<const uint32_t*>page.data, size, tables, &classes[at], &normal[at])
        classes[at + size] = SPACE
        normal[at + size] = NEWLINE
    return (start_array, length_array, class_array, normal_array), n_words


cdef Py_ssize_t _lay_out(
    const letters* text, Py_ssize_t size, Tables tables, uint8_t* classes, uint32_t* normal
) noexcept:
    """Look up ``size`` characters; gives the number of words that begin there."""
    cdef Py_ssize_t i, code, n_words = 0
    cdef uint8_t kind, before = 0
    for i in range(size):
        code = min(<Py_ssize_t>text[i], tables.last)
        classes[i] = tables.classes[code]
        normal[i] = tables.normal[code]
        kind = tables.word_kind[tables.classes[code] % N_CLASSES]
        n_words += (kind != 0) & ((kind != 1) | (before != 1))
        before = kind
    return n_words


def words(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const uint8_t[::1] classes,
    const uint32_t[::1] normal,
    const uint8_t[::1] word_kind,
    Py_ssize_t n_words,
):
    """Find and hash the words of each line: their start, length, line, ends, hashes, and the lines' hashes."""
    cdef Py_ssize_t n = start.shape[0], i, at, end, word = 0, first
    start_array = np.empty(n_words, dtype=np.int64)
    length_array = np.empty(n_words, dtype=np.int64)
    line_array = np.empty(n_words, dtype=np.int64)
    ends_array = np.empty(n + 1, dtype=np.int64)
    hash_array = np.empty(n_words, dtype=np.uint64)
    line_hash_array = np.empty(n, dtype=np.uint64)
    cdef int64_t[::1] word_start = start_array, word_length = length_array, word_line = line_array
    cdef int64_t[::1] ends = ends_array
    cdef uint64_t[::1] hashes = hash_array, line_hashes = line_hash_array
    cdef uint64_t value, power, of_line
    cdef const uint8_t* kinds = &word_kind[0]  # of N_CLASSES
    cdef const uint8_t* class_at = &classes[0]
    cdef const uint32_t* normal_at = &normal[0]
    cdef uint8_t kind
    if length.shape[0] != n or normal.shape[0] != classes.shape[0] or word_kind.shape[0] != N_CLASSES:
        raise ValueError("as many of each, and a kind for each class")
    for i in range(n):
        at = start[i]
        end = at + length[i]
        if not 0 <= at <= end <= classes.shape[0]:
            raise ValueError("a line outside of the characters")
        first = ends[i] = word
        of_line = 0
        while at < end:
            kind = kinds[class_at[at] % N_CLASSES]
            if kind == 0:
                at += 1
                continue
            word_start[word] = at
            value = normal_at[at]
            power = BASE
            at += 1
            if kind == 1:
                while at < end and kinds[class_at[at] % N_CLASSES] == 1:
                    value += normal_at[at] * power
                    power *= BASE
                    at += 1
            value = mix(value)
            word_length[word] = at - word_start[word]
            word_line[word] = i
            hashes[word] = value
            of_line += mix(value + <uint64_t>(word - first))
            word += 1
        line_hashes[i] = of_line
    ends[n] = word
    return start_array, length_array, line_array, ends_array, hash_array, line_hash_array


def line_shape(
    const uint8_t[::1] classes,
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int64_t[::1] word_start,
    const int64_t[::1] word_length,
    const int64_t[::1] word_ends,
    const float[::1] log1p,
):
    """How each line looks; (n_lines, 29)."""
    cdef Py_ssize_t n = start.shape[0], i, j, at, end
    out_array = np.empty((n, N_SHAPE), dtype=np.float32)
    cdef float[:, ::1] out = out_array
    cdef Py_ssize_t[N_CLASSES] counts
    cdef Py_ssize_t n_words, letters, longest, capitals
    cdef uint8_t first, last
    cdef float size, some
    for i in range(n):
        at = start[i]
        end = at + length[i]
        for j in range(N_CLASSES):
            counts[j] = 0
        for j in range(at, end):
            counts[classes[j] % N_CLASSES] += 1
        letters = longest = capitals = 0
        for j in range(word_ends[i], word_ends[i + 1]):
            letters += word_length[j]
            longest = max(longest, word_length[j])
            capitals += classes[word_start[j]] == UPPER
        n_words = word_ends[i + 1] - word_ends[i]
        first = classes[at]
        last = classes[max(end - 1, at)]
        some = max(n_words, 1)
        size = max(length[i], 1)
        out[i, 0] = log1p[length[i]]
        out[i, 1] = log1p[n_words]
        out[i, 2] = <float>(<double>letters / <double>some)
        out[i, 3] = <float>(<double>min(longest, 40) / 10.0)
        out[i, 4] = <float>(<double>capitals / <double>some)
        out[i, 5] = <float>counts[UPPER] / size
        out[i, 6] = <float>counts[DIGIT] / size
        out[i, 7] = <float>counts[SPACELESS] / size
        out[i, 8] = <float>counts[LETTER] / size
        out[i, 9] = <float>(counts[STOP] + counts[COMMA]) / size * <float>10
        out[i, 10] = <float>(counts[SEPARATOR] + counts[SYMBOL]) / size * <float>4
        out[i, 11] = log1p[counts[STOP]]
        out[i, 12] = log1p[counts[COMMA]]
        out[i, 13] = log1p[counts[SEPARATOR]]
        out[i, 14] = log1p[counts[BULLET]]
        out[i, 15] = log1p[counts[QUOTE]]
        out[i, 16] = log1p[counts[BRACKET]]
        out[i, 17] = log1p[counts[DIGIT]]
        out[i, 18] = min(counts[CURRENCY], 3)
        out[i, 19] = first == BULLET
        out[i, 20] = first == UPPER
        out[i, 21] = first == DIGIT
        out[i, 22] = first == SEPARATOR
        out[i, 23] = last == STOP
        out[i, 24] = last == COMMA
        out[i, 25] = last == DIGIT
        out[i, 26] = last == SEPARATOR
        out[i, 27] = n_words <= 1
        out[i, 28] = length[i] > 120
    return out_array


def pairs(const uint64_t[::1] word_hash, const int64_t[::1] word_ends, int bits):
    """Buckets of each word with the one before it; 0 for a line's first word."""
    cdef Py_ssize_t i, j
    cdef int shift = 64 - bits
    buckets_array = np.empty(word_hash.shape[0], dtype=np.int64)
    cdef int64_t[::1] buckets = buckets_array
    for i in range(word_ends.shape[0] - 1):
        for j in range(word_ends[i], word_ends[i + 1]):
            buckets[j] = 0
            if j > word_ends[i]:
                buckets[j] = <int64_t>(mix(word_hash[j - 1] * 3 + word_hash[j]) >> shift)
    return buckets_array


def stems(
    const uint32_t[::1] normal,
    const int64_t[::1] word_start,
    const int64_t[::1] word_length,
    Py_ssize_t letters,
    uint64_t salt,
    int bits,
):
    """Buckets of the first letters of each longer word; 0 for the others."""
    cdef Py_ssize_t i, j
    cdef int shift = 64 - bits
    cdef uint64_t value, power
    buckets_array = np.empty(word_start.shape[0], dtype=np.int64)
    cdef int64_t[::1] buckets = buckets_array
    for i in range(word_start.shape[0]):
        buckets[i] = 0
        if word_length[i] > letters:
            value = 0
            power = 1
            for j in range(letters):
                value += normal[word_start[i] + j] * power
                power *= BASE
            buckets[i] = <int64_t>(mix(mix(value) + salt) >> shift)
    return buckets_array


def shape_codes(
    const float[:, ::1] shape,
    const uint8_t[::1] classes,
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int64_t[::1] ends,
):
    """Numbers of what lines look like and of the lengths around them; (n_lines, 9)."""
    cdef Py_ssize_t n = start.shape[0], i, d, step
    codes_array = np.empty((n, N_CODES), dtype=np.int64)
    cdef int64_t[:, ::1] codes = codes_array
    cdef int64_t size, n_words, capitals, digits, first, last
    for i in range(n):
        size = <int64_t>min(2 * shape[i, 0], <float>15)
        n_words = <int64_t>min(2 * shape[i, 1], <float>15)
        capitals = <int64_t>min(4 * shape[i, 4], <float>3)
        digits = <int64_t>min(4 * shape[i, 6], <float>3)
        first = classes[start[i]]
        last = classes[start[i] + max(length[i], 1) - 1]
        codes[i, 0] = size * 16 + last
        codes[i, 1] = first * 16 + n_words
        codes[i, 2] = size * 16 + digits * 4 + capitals
        codes[i, 3] = last * 16 + first
        codes[i, 4] = size
    for d in range(ends.shape[0] - 1):
        for i in range(ends[d], ends[d + 1]):
            for step in range(4):
                codes[i, 5 + step] = NO_LINE
            if i >= ends[d] + 2:
                codes[i, 5] = codes[i - 2, 4] * 16 + codes[i, 4]
            if i >= ends[d] + 1:
                codes[i, 6] = codes[i - 1, 4] * 16 + codes[i, 4]
            if i + 1 < ends[d + 1]:
                codes[i, 7] = codes[i + 1, 4] * 16 + codes[i, 4]
            if i + 2 < ends[d + 1]:
                codes[i, 8] = codes[i + 2, 4] * 16 + codes[i, 4]
    return codes_array


def layout(
    const uint8_t[::1] classes,
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int64_t[::1] ends,
    const uint8_t[::1] plain,
    const uint8_t[::1] begins,
    const uint8_t[::1] spaced,
    Py_ssize_t most,
):
    """Find blocks and indentation: (rows, first, last, indent)."""
    cdef Py_ssize_t n = start.shape[0], n_rows = 0, d, i, at, end, low, high
    for d in range(ends.shape[0] - 1):
        n_rows += (ends[d + 1] - ends[d]) * (spaced[d] != 0)
    rows_array = np.empty(n_rows, dtype=np.int64)
    first_array = np.empty(n_rows, dtype=np.int64)
    last_array = np.empty(n_rows, dtype=np.int64)
    indent_array = np.zeros(n, dtype=np.int64)
    cdef int64_t[::1] rows = rows_array, first = first_array, last = last_array, indent = indent_array
    n_rows = 0
    for d in range(ends.shape[0] - 1):
        if not plain[d]:
            continue
        for i in range(ends[d], ends[d + 1]):
            at = start[i]
            end = at + min(<Py_ssize_t>length[i], most)
            while at < end and classes[at] == SPACE:
                at += 1
            indent[i] = at - start[i]
        if not spaced[d]:
            continue
        low = ends[d]
        while low < ends[d + 1]:
            high = low + 1
            while high < ends[d + 1] and not begins[high]:
                high += 1
            for i in range(low, high):
                rows[n_rows] = i
                first[n_rows] = low
                last[n_rows] = high
                n_rows += 1
            low = high
    return rows_array, first_array, last_array, indent_array


def layout_codes(
    const int64_t[::1] rows,
    const int64_t[::1] first,
    const int64_t[::1] last,
    const int64_t[::1] indent,
    const float[:, ::1] shape,
    const uint8_t[::1] classes,
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int64_t[::1] line_steps,
    const int64_t[::1] character_steps,
):
    """Numbers of what lines' blocks are and where they stand there; (n_rows, 5)."""
    cdef Py_ssize_t n = rows.shape[0], r, i, k
    codes_array = np.empty((n, N_LAYOUT_CODES), dtype=np.int64)
    cdef int64_t[:, ::1] codes = codes_array
    cdef int64_t edges, size, spaces, n_lines = 0, n_characters = 0, total
    for r in range(n):
        i = rows[r]
        if r == 0 or first[r] != first[r - 1]:
            total = n_lines = n_characters = 0
            for k in range(first[r], last[r]):
                total += length[k]
            while n_lines < line_steps.shape[0] and line_steps[n_lines] <= last[r] - first[r]:
                n_lines += 1
            while n_characters < character_steps.shape[0] and character_steps[n_characters] <= total:
                n_characters += 1
        edges = 2 * (first[r] == i) + (last[r] == i + 1)
        size = <int64_t>min(2 * shape[i, 0], <float>15)
        spaces = min(indent[i], 15)
        codes[r, 0] = edges * 256 + size * 16 + classes[start[i] + max(length[i], 1) - 1]
        codes[r, 1] = n_lines * 16 + min(i - first[r], 3) * 4 + min(last[r] - 1 - i, 3)
        codes[r, 2] = n_lines * 16 + n_characters
        codes[r, 3] = spaces * 16 + classes[start[i] + min(spaces, max(length[i] - 1, 0))]
        codes[r, 4] = edges * 256 + size * 16 + n_characters
    return codes_array


def hashed_codes(const int64_t[:, ::1] codes, uint64_t salt, int bits):
    """Buckets of codes, each column's of its own; (n_lines * n_codes,)."""
    cdef Py_ssize_t n = codes.shape[0], n_codes = codes.shape[1], i, j
    cdef int shift = 64 - bits
    buckets_array = np.empty(n * n_codes, dtype=np.int64)
    cdef int64_t[::1] buckets = buckets_array
    for i in range(n):
        for j in range(n_codes):
            buckets[i * n_codes + j] = <int64_t>(mix(<uint64_t>(codes[i, j] + (j << 10)) + salt) >> shift)
    return buckets_array


cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>

    /* Sum the rows of five weights that tokens name; 0 if one of them is not there. */
    static inline int sum_rows(
        float *sums, const float *weights, size_t n_rows, const int64_t *tokens, ptrdiff_t n_tokens
    ) {
    #if defined(__GNUC__)
        typedef float four_numbers __attribute__((vector_size(16), aligned(4), may_alias));
        four_numbers four = {0};
        float last = 0;
        for (ptrdiff_t i = 0; i < n_tokens; i++) {
            if ((size_t) tokens[i] >= n_rows)
                return 0;
            const float *row = weights + 5 * tokens[i];
            four += *(const four_numbers *) row;
            last += row[4];
        }
        *(four_numbers *) sums = four;
        sums[4] = last;
    #else
        for (int j = 0; j < 5; j++)
            sums[j] = 0;
        for (ptrdiff_t i = 0; i < n_tokens; i++) {
            if ((size_t) tokens[i] >= n_rows)
                return 0;
            const float *row = weights + 5 * tokens[i];
            for (int j = 0; j < 5; j++)
                sums[j] += row[j];
        }
    #endif
        return 1;
    }
    """
    bint sum_rows(float* sums, const float* weights, size_t n_rows, const int64_t* tokens, Py_ssize_t n_tokens) nogil


def add_opinions(
    float[:, ::1] opinions,
    const float[:, ::1] weights,
    const int64_t[::1] buckets,
    const int64_t[::1] ends,
):
    """Add to each line's opinions the sum of its tokens' weights, over the root of how many there are."""
    cdef Py_ssize_t n = opinions.shape[0], i, j, n_tokens
    cdef float[5] sums
    cdef float scale
    cdef float* own
    if opinions.shape[1] != 5 or weights.shape[1] != 5 or ends.shape[0] != n + 1:
        raise ValueError("a line has five opinions")
    for i in range(n):
        n_tokens = ends[i + 1] - ends[i]
        if not n_tokens:
            continue
        if not 0 <= ends[i] <= ends[i + 1] <= buckets.shape[0]:
            raise IndexError("a line ends before it begins, or after the last token")
        if not sum_rows(sums, &weights[0, 0], weights.shape[0], &buckets[ends[i]], n_tokens):
            raise IndexError("a token has no weights")
        scale = 1 / sqrtf(<float>n_tokens)
        own = &opinions[i, 0]
        for j in range(5):
            own[j] += sums[j] * scale
