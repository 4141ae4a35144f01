# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Characters, words, shapes and tokens of lines, compiled.

:mod:`~boilerplate_ds.features.lines`, :mod:`~boilerplate_ds.features.shape`,
:mod:`~boilerplate_ds.features.layout`, :mod:`~boilerplate_ds.features.term_codes` and
:mod:`~boilerplate_ds.features.text_tokens` are the definitions;
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
    NO_NEIGHBOUR = 31
    NEWLINE = 10

cdef uint64_t BASE = 0x9E3779B97F4A7C15ULL


cdef struct Arrays:  # what a line is laid out in; see lines.py
    const uint32_t* table
    Py_ssize_t last
    uint8_t* classes
    uint32_t* normal
    int64_t* word_start
    int64_t* word_length
    int64_t* word_line
    uint64_t* word_hash


def lay_out(list lines not None, Py_ssize_t most, const uint32_t[::1] table):
    """Lay out the first ``most`` characters of each line, and find and hash the words.

    ``table`` has the normal form of each character, its class in bits 16 to 23 and what that class is in words
    above. Gives (start, length, classes, normal) of lines, (start, length, line, ends, hashes) of words and the
    lines' hashes.
    """
    cdef Py_ssize_t n = len(lines), total = 1, i, at, size, first, n_words = 0, room = 0
    start_array = np.empty(n, dtype=np.int64)
    length_array = np.empty(n, dtype=np.int64)
    ends_array = np.empty(n + 1, dtype=np.int64)
    line_hash_array = np.empty(n, dtype=np.uint64)
    cdef int64_t[::1] start = start_array, length = length_array, ends = ends_array
    cdef uint64_t[::1] line_hashes = line_hash_array
    cdef uint64_t of_line
    cdef str line
    cdef Page page
    cdef Arrays arrays
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
    cdef int64_t[::1] word_start, word_length, word_line
    cdef uint64_t[::1] hashes
    word_start_array = word_length_array = word_line_array = np.empty(0, dtype=np.int64)
    hash_array = np.empty(0, dtype=np.uint64)
    if table.shape[0] < 256:
        raise ValueError("a table for every character of one byte, at least")
    arrays.table, arrays.last = &table[0], table.shape[0] - 1
    arrays.classes, arrays.normal = &classes[0], &normal[0]
    classes[0] = SPACE
    normal[0] = NEWLINE
    for i in range(n):
        line = lines[i]
        size = length[i]
        at = start[i]
        first = ends[i] = n_words
        of_line = 0
        if size:
            page = page_of(line)
            if at + size >= total or size > page.size:
                raise ValueError("a line changed while it was read")
            if n_words + size > room:  # a word has a character or more; most have some, and a space
                room = max(2 * room, total // 4) + size
                word_start_array = word_start = resized(word_start_array, room)
                word_length_array = word_length = resized(word_length_array, room)
                word_line_array = word_line = resized(word_line_array, room)
                hash_array = hashes = resized(hash_array, room)
                arrays.word_start, arrays.word_length = &word_start[0], &word_length[0]
                arrays.word_line, arrays.word_hash = &word_line[0], &hashes[0]
            if page.kind == 1:
                n_words += lay_out_line(<const uint8_t*>page.data, size, arrays, at, i, n_words)
            elif page.kind == 2:
                n_words += lay_out_line(<const uint16_t*>page.data, size, arrays, at, i, n_words)
            else:
                n_words += lay_out_line(<const uint32_t*>page.data, size, arrays, at, i, n_words)
        classes[at + size] = SPACE
        normal[at + size] = NEWLINE
        for at in range(first, n_words):
            of_line += mix(hashes[at] + <uint64_t>(at - first))
        line_hashes[i] = of_line
    ends[n] = n_words
    words = slice(n_words)
    return (start_array, length_array, class_array, normal_array), (
        word_start_array[words],
        word_length_array[words],
        word_line_array[words],
        ends_array,
        hash_array[words],
        line_hash_array,
    )


cdef resized(array, Py_ssize_t room):
    """Give ``array`` with room for more behind it."""
    larger = np.empty(room, dtype=array.dtype)
    larger[: len(array)] = array
    return larger


cdef inline uint32_t entry_of(letters letter, Arrays arrays) noexcept:
    if letters is uint8_t:
        return arrays.table[letter]
    else:
        return arrays.table[min(<Py_ssize_t>letter, arrays.last)]


cdef Py_ssize_t lay_out_line(
    const letters* text, Py_ssize_t size, Arrays arrays, Py_ssize_t at, Py_ssize_t line, Py_ssize_t word
) noexcept:
    """Lay out a line's characters from ``at`` on, and its words from ``word`` on; gives how many there are."""
    cdef Py_ssize_t i = 0, begin, first = word
    cdef uint8_t* classes = arrays.classes + at
    cdef uint32_t* normal = arrays.normal + at
    cdef uint32_t entry
    cdef uint64_t value, power
    while i < size:
        entry = entry_of(text[i], arrays)
        classes[i] = <uint8_t>(entry >> 16)
        normal[i] = entry & 0xFFFF
        begin = i
        i += 1
        if not entry >> 24:
            continue
        value = entry & 0xFFFF
        if entry >> 24 == 1:
            power = BASE
            while i < size:
                entry = entry_of(text[i], arrays)
                if entry >> 24 != 1:
                    break
                classes[i] = <uint8_t>(entry >> 16)
                normal[i] = entry & 0xFFFF
                value += (entry & 0xFFFF) * power
                power *= BASE
                i += 1
        arrays.word_start[word] = at + begin
        arrays.word_length[word] = i - begin
        arrays.word_line[word] = line
        arrays.word_hash[word] = mix(value)
        word += 1
    return word - first


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
    cdef uint32_t[N_CLASSES] counts, others  # so that one count need not wait for the one before
    cdef const uint8_t* class_at = &classes[0]
    cdef Py_ssize_t n_words, letters, longest, capitals
    cdef uint8_t first, last
    cdef float size, some
    for i in range(n):
        at = start[i]
        end = at + length[i]
        if not 0 <= at <= end <= classes.shape[0]:
            raise IndexError("a line outside of the characters")
        for j in range(N_CLASSES):
            counts[j] = others[j] = 0
        for j in range(at, end - 1, 2):
            counts[class_at[j] % N_CLASSES] += 1
            others[class_at[j + 1] % N_CLASSES] += 1
        if (end - at) % 2:
            counts[class_at[end - 1] % N_CLASSES] += 1
        for j in range(N_CLASSES):
            counts[j] += others[j]
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


def term_codes(
    const uint64_t[::1] word_hash,
    const int64_t[::1] word_ends,
    const int64_t[::1] ends,
    const uint64_t[::1] known,
    const uint8_t[::1] kinds,
    const uint8_t[::1] sieve,
    Py_ssize_t most,
    Py_ssize_t short,
):
    """What each line begins with, of ``known`` terms, and the lines around it: (n_lines, 3)."""
    cdef Py_ssize_t i, j, rank, n, low, high, middle, n_lines = word_ends.shape[0] - 1
    cdef uint64_t key
    own_array = np.zeros(n_lines, dtype=np.int64)
    cdef int64_t[::1] own = own_array
    for i in range(n_lines):
        n = word_ends[i + 1] - word_ends[i]
        key = 0
        for rank in range(min(n, most)):
            key += mix(word_hash[word_ends[i] + rank] + <uint64_t>rank)
            if sieve[key & 0xFFFF] & 1:
                low = 0
                high = known.shape[0]
                while low < high:
                    middle = (low + high) // 2
                    if known[middle] < key:
                        low = middle + 1
                    else:
                        high = middle
                if low < known.shape[0] and known[low] == key:
                    own[i] = 1 + 3 * kinds[low] + (n - rank > 1) + (n - rank > short)
            if not sieve[key & 0xFFFF] & 2:
                break  # no term goes on like this
    codes_array = np.empty((n_lines, 3), dtype=np.int64)
    cdef int64_t[:, ::1] codes = codes_array
    for j in range(ends.shape[0] - 1):
        for i in range(ends[j], ends[j + 1]):
            codes[i, 0] = own[i]
            codes[i, 1] = (own[i - 1] if i > ends[j] else NO_NEIGHBOUR) * 32 + own[i]
            codes[i, 2] = (own[i + 1] if i + 1 < ends[j + 1] else NO_NEIGHBOUR) * 32 + own[i]
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

    /* Sum the rows of five weights that tokens name; 0 if one of them is not there. Rows come from all over the
       weights: those of the next tokens, there are ``n_there`` in all, are called for in advance. */
    static inline int sum_rows(
        float *sums, const float *weights, size_t n_rows, const int64_t *tokens, ptrdiff_t n_tokens,
        ptrdiff_t n_there
    ) {
    #if defined(__GNUC__)
        typedef float four_numbers __attribute__((vector_size(16), aligned(4), may_alias));
        four_numbers four = {0};
        float last = 0;
        for (ptrdiff_t i = 0; i < n_tokens; i++) {
            if ((size_t) tokens[i] >= n_rows)
                return 0;
            if (i + 12 < n_there)
                __builtin_prefetch(weights + 5 * (size_t) tokens[i + 12]);
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
    bint sum_rows(
        float* sums,
        const float* weights,
        size_t n_rows,
        const int64_t* tokens,
        Py_ssize_t n_tokens,
        Py_ssize_t n_there,
    ) noexcept nogil


def add_opinions(
    float[:, ::1] opinions,
    const float[:, ::1] weights,
    const int64_t[::1] buckets,
    const int64_t[::1] ends,
):
    """Add to each line's opinions the sum of its tokens' weights, over the root of how many there are."""
    cdef Py_ssize_t n = opinions.shape[0], i, j, n_tokens, n_there
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
        n_there = buckets.shape[0] - ends[i]
        if not sum_rows(sums, &weights[0, 0], weights.shape[0], &buckets[ends[i]], n_tokens, n_there):
            raise IndexError("a token has no weights")
        scale = 1 / sqrtf(<float>n_tokens)
        own = &opinions[i, 0]
        for j in range(5):
            own[j] += sums[j] * scale
