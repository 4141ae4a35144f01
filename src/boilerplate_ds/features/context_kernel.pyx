# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Features of lines in their documents and in their trees, compiled.

:mod:`~boilerplate_ds.features.context`, :mod:`~boilerplate_ds.features.layout`,
:mod:`~boilerplate_ds.features.tree` and :mod:`~boilerplate_ds.features.markup_tokens` are the definitions;
results are the same bit by bit. Logarithms are numpy's, whose last bit is no other library's: what a function
here cannot finish without them it gives back as arguments, and :func:`place` puts the logarithms into their
columns.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from boilerplate_ds.features.mixing cimport mix

import numpy as np

cdef enum:
    N_OPINIONS = 5
    MAX_PARTS = 16
    N_OF_BLOCKS = 16

cdef uint64_t SPREAD = 0x9E3779B97F4A7C15ULL
cdef double ROUNDING = 6442450944.0  # as in columns.py

def place(float[:, ::1] block, const float[:, ::1] values, columns, scales):
    """Write each row of ``values``, scaled, into its column of ``block``."""
    cdef Py_ssize_t n = block.shape[0], r, i, column
    cdef float scale
    for r in range(values.shape[0]):
        column = columns[r]
        scale = scales[r]
        for i in range(n):
            block[i, column] = values[r, i] * scale


def joined(list parts not None):
    """Put blocks of columns side by side: each float32, shape (n_lines, n_columns)."""
    cdef Py_ssize_t n = parts[0].shape[0], width = sum([part.shape[1] for part in parts]), i, k, n_parts = 0
    out_array = np.empty((n, width), dtype=np.float32)
    cdef float[:, ::1] out = out_array
    cdef const float[:, ::1] part
    cdef (const float*)[MAX_PARTS] source
    cdef Py_ssize_t[MAX_PARTS] size
    cdef float* target
    for array in parts:
        part = array
        if part.shape[0] != n:
            raise ValueError("blocks of different heights")
        if n_parts == MAX_PARTS:
            raise ValueError("too many blocks")
        if n and part.shape[1]:
            source[n_parts] = &part[0, 0]
            size[n_parts] = part.shape[1]
            n_parts += 1
    if not n_parts:
        return out_array
    target = &out[0, 0]
    for i in range(n):  # a row of each block, n rows of the width, which is the sum of the sizes
        for k in range(n_parts):
            memcpy(target, source[k], size[k] * sizeof(float))
            target += size[k]
            source[k] += size[k]
    return out_array


def probabilities(const float[:, ::1] odds):
    """Turn odds of stage one's answers into probabilities; (n_lines, 5)."""
    cdef Py_ssize_t n = odds.shape[0], i, j
    out_array = np.empty((n, N_OPINIONS), dtype=np.float32)
    cdef float[:, ::1] out = out_array
    cdef float one = 1, rounding = 12, rest  # in single precision throughout
    for i in range(n):
        out[i, 0] = odds[i, 0] / (one + odds[i, 0])
        out[i, 1] = odds[i, 1] / (one + odds[i, 1])
        rest = (one - out[i, 1]) / (odds[i, 2] + odds[i, 3] + odds[i, 4])
        out[i, 2] = odds[i, 2] * rest
        out[i, 3] = odds[i, 3] * rest
        out[i, 4] = odds[i, 4] * rest
        for j in range(N_OPINIONS):
            out[i, j] = (out[i, j] + rounding) - rounding
    return out_array


def position(const double[::1] chars, const int64_t[::1] ends):
    """Where lines stand: a block (n_lines, 7), and arguments of the logarithms of its last five columns."""
    cdef Py_ssize_t n = chars.shape[0], d, i, index, size
    block_array = np.empty((n, 7), dtype=np.float32)
    logs_array = np.empty((5, n), dtype=np.float32)
    cdef float[:, ::1] block = block_array, logs = logs_array
    cdef double running = 0, first, total
    cdef double[::1] before = np.zeros(n + 1)
    for i in range(n):
        running += chars[i]
        before[i + 1] = running
    for d in range(ends.shape[0] - 1):
        size = ends[d + 1] - ends[d]
        if not size:
            continue
        first = before[ends[d]]
        total = before[ends[d + 1]] - first
        for i in range(ends[d], ends[d + 1]):
            index = i - ends[d]
            block[i, 0] = <float>(<double>index / <double>size)
            block[i, 1] = <float>((before[i] - first) / max(total, 1.0))
            logs[0, i] = <float>(1 + index)
            logs[1, i] = <float>(size - index)
            logs[2, i] = <float>(1 + size)
            logs[3, i] = <float>(1 + total)
            logs[4, i] = <float>(1 + total / <double>size)
    return block_array, logs_array


def line_keys(const uint64_t[::1] line_hash, const int64_t[::1] document):
    """Keys that lines of one document with the same words share."""
    cdef Py_ssize_t n = line_hash.shape[0], i
    keys_array = np.empty(n, dtype=np.uint64)
    cdef uint64_t[::1] keys = keys_array
    for i in range(n):
        keys[i] = mix(line_hash[i] + <uint64_t>document[i] * SPREAD)
    return keys_array


def repetition(
    const uint64_t[::1] key,
    const int64_t[::1] order,
    const int64_t[::1] ends,
    const double[::1] chars,
    const float[::1] log_of_repeats,
):
    """How often lines stand in their document: a block (n_lines, 10), and whether they stood before."""
    cdef Py_ssize_t n = key.shape[0], d, i, j, k, line, first, last, low, high
    block_array = np.empty((n, 10), dtype=np.float32)
    before_array = np.zeros(n)
    cdef float[:, ::1] block = block_array
    cdef double[::1] before = before_array
    cdef double[:, ::1] sums = np.zeros((n + 1, 4))
    cdef int64_t[::1] repeats = np.zeros(n, dtype=np.int64)
    cdef double weight, again
    i = 0
    while i < n:  # runs of equal keys
        j = i + 1
        while j < n and key[order[j]] == key[order[i]]:
            j += 1
        for k in range(i, j):
            line = order[k]
            repeats[line] = j - i
            before[line] = k > i
            block[line, 3] = <float>(1.0 / <double>(line - order[k - 1])) if k > i else 0
            block[line, 4] = <float>(1.0 / <double>(order[k + 1] - line)) if k + 1 < j else 0
        i = j
    for i in range(n):
        weight = min(chars[i], 400.0)
        again = block[i, 4] > 0
        sums[i + 1, 0] = sums[i, 0] + (repeats[i] > 1)
        sums[i + 1, 1] = sums[i, 1] + weight
        sums[i + 1, 2] = sums[i, 2] + weight * before[i]
        sums[i + 1, 3] = sums[i, 3] + weight * again
        block[i, 0] = log_of_repeats[min(repeats[i], log_of_repeats.shape[0] - 1)]
        block[i, 1] = <float>before[i]
        block[i, 2] = <float>again
        block[i, 9] = <float>(before[i] * min(chars[i], 200.0) / 100)
    for d in range(ends.shape[0] - 1):
        first, last = ends[d], ends[d + 1]
        for i in range(first, last):
            low, high = max(i - 4, first), min(i + 5, last)
            block[i, 5] = <float>((sums[high, 0] - sums[low, 0]) / <double>(high - low))
            low, high = max(i - 12, first), min(i + 13, last)
            weight = max(sums[high, 1] - sums[low, 1], 1.0)
            block[i, 6] = <float>((sums[high, 2] - sums[low, 2]) / weight)
            block[i, 7] = <float>((sums[high, 3] - sums[low, 3]) / weight)
            weight = max(sums[last, 1] - sums[first, 1], 1.0)
            block[i, 8] = <float>((sums[last, 2] - sums[first, 2]) / weight)
    return block_array, before_array


cdef int bits_of(Py_ssize_t n_words) noexcept:
    """Size of a document's table of words, as a power of two."""
    cdef int bits = 4
    while bits < 48 and (<Py_ssize_t>1 << bits) < n_words:
        bits += 1
    return bits + 2


def word_mass(
    const uint64_t[::1] word_hash,
    const int64_t[::1] word_ends,
    const int64_t[::1] ends,
    const double[::1] mass,
):
    """Of each word, how much content it has elsewhere in its document, plus one; and how often it stands there."""
    cdef Py_ssize_t n_words = word_hash.shape[0], n_documents = ends.shape[0] - 1, d, i, j, slot, most = 0
    cdef int shift
    cdef double other
    for d in range(n_documents):
        most = max(most, word_ends[ends[d + 1]] - word_ends[ends[d]])
    cdef Py_ssize_t size = <Py_ssize_t>1 << bits_of(most)
    logs_array = np.empty((2, n_words), dtype=np.float32)
    cdef float[:, ::1] logs = logs_array
    cdef double[::1] table = np.zeros(size)
    cdef int64_t[::1] seen = np.zeros(size, dtype=np.int64)
    for d in range(n_documents):
        shift = 64 - bits_of(word_ends[ends[d + 1]] - word_ends[ends[d]])
        for i in range(ends[d], ends[d + 1]):
            for j in range(word_ends[i], word_ends[i + 1]):
                slot = <Py_ssize_t>(word_hash[j] >> shift)
                table[slot] += mass[i]
                seen[slot] += 1
        for i in range(ends[d], ends[d + 1]):
            for j in range(word_ends[i], word_ends[i + 1]):
                slot = <Py_ssize_t>(word_hash[j] >> shift)
                other = table[slot] - mass[i]
                logs[0, j] = <float>(1 + max(other, 0.0))
                logs[1, j] = <float>seen[slot]
        for j in range(word_ends[ends[d]], word_ends[ends[d + 1]]):
            slot = <Py_ssize_t>(word_hash[j] >> shift)
            table[slot] = 0
            seen[slot] = 0
    return logs_array


def in_titles(
    const uint64_t[::1] word_hash,
    const int64_t[::1] word_ends,
    const int64_t[::1] ends,
    const uint64_t[::1] title_hash,
    const int64_t[::1] title_ends,
):
    """Whether each word is one of its document's title."""
    cdef Py_ssize_t d, i, j, first, last, low, high, middle
    cdef uint64_t value, present
    found_array = np.zeros(word_hash.shape[0])
    cdef double[::1] found = found_array
    cdef uint64_t[::1] known = np.array(title_hash)
    for d in range(ends.shape[0] - 1):
        first, last = title_ends[d], title_ends[d + 1]
        present = 0
        for i in range(first, last):  # a title has a few words, at most 500
            value = known[i]
            present |= <uint64_t>1 << (value >> 58)
            j = i
            while j > first and known[j - 1] > value:
                known[j] = known[j - 1]
                j -= 1
            known[j] = value
        for j in range(word_ends[ends[d]], word_ends[ends[d + 1]]):
            value = word_hash[j]
            if not (present >> (value >> 58)) & 1:
                continue
            low, high = first, last
            while low < high:
                middle = (low + high) // 2
                if known[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            found[j] = low < last and known[low] == value
    return found_array


def blocks(
    const int64_t[::1] rows,
    const int64_t[::1] first,
    const int64_t[::1] last,
    const int64_t[::1] ends,
    const int64_t[::1] document,
    const float[:, ::1] opinions,
    const double[::1] chars,
    near,
):
    """What lines' blocks are: a block of columns (n_rows, 16), and arguments of the logarithms of 3 to 6."""
    cdef Py_ssize_t n = rows.shape[0], n_lines = chars.shape[0], r, s, i, j, k, low, high, left, right
    cdef Py_ssize_t start, end
    cdef int64_t[::1] width = np.array(near, dtype=np.int64)
    block_array = np.empty((n, N_OF_BLOCKS), dtype=np.float32)
    logs_array = np.empty((4, n), dtype=np.float32)
    cdef float[:, ::1] block = block_array, logs = logs_array
    cdef double[:, ::1] sums = np.zeros((n_lines + 1, 2 + N_OPINIONS))
    cdef int64_t[::1] alone = np.zeros(n_lines + 1, dtype=np.int64)
    cdef double[N_OPINIONS] mean
    cdef double weight, inverse, characters
    cdef float before = 0
    for i in range(n_lines):
        weight = min(chars[i], 600.0)
        sums[i + 1, 0] = sums[i, 0] + weight
        for j in range(N_OPINIONS):
            sums[i + 1, 1 + j] = sums[i, 1 + j] + opinions[i, j] * weight
        sums[i + 1, 1 + N_OPINIONS] = sums[i, 1 + N_OPINIONS] + chars[i]
    for r in range(n):
        alone[rows[r] + 1] = last[r] - first[r] == 1
    for i in range(n_lines):
        alone[i + 1] += alone[i]
    r = 0
    while r < n:  # a block: rows r to s
        low, high = first[r], last[r]
        s = r + high - low
        if not (0 <= low < high <= n_lines and s <= n):
            raise ValueError("a block outside of its batch")
        start, end = ends[document[low]], ends[document[low] + 1]
        inverse = 1.0 / max(sums[high, 0] - sums[low, 0], 1.0)
        for j in range(N_OPINIONS):
            mean[j] = (sums[high, 1 + j] - sums[low, 1 + j]) * inverse
        characters = sums[high, 1 + N_OPINIONS] - sums[low, 1 + N_OPINIONS]
        if low > start:  # the block before is in the same document
            before = block[r - 1, 11]
            for i in range(r - (low - first[r - 1]), r):
                block[i, 10] = <float>mean[0]
        else:
            before = 0
        for i in range(r, s):
            block[i, 0] = 1
            block[i, 1] = i == r
            block[i, 2] = i == s - 1
            logs[0, i] = <float>(high - low)
            logs[1, i] = <float>(1 + characters)
            logs[2, i] = <float>(1 + i - r)
            logs[3, i] = <float>(s - i)
            block[i, 9] = before
            block[i, 10] = 0
            for j in range(N_OPINIONS):
                block[i, 11 + j] = <float>mean[j]
            for k in range(width.shape[0]):
                left, right = max(rows[i] - width[k], start), min(rows[i] + width[k] + 1, end)
                block[i, 7 + k] = <float>(<double>(alone[right] - alone[left]) / <double>(right - left))
        r = s
    return block_array, logs_array


def aboutness(
    const int64_t[::1] word_length,
    const int64_t[::1] word_ends,
    const int64_t[::1] ends,
    const float[:, ::1] logs,
    const double[::1] in_title,
    const double[::1] rare_of_length,
    const double[::1] chars,
):
    """Means over the words of each line, rare ones counting more; (n_lines, 5)."""
    cdef Py_ssize_t n = chars.shape[0], last_rare = rare_of_length.shape[0] - 1, d, i, j
    block_array = np.empty((n, 5), dtype=np.float32)
    cdef float[:, ::1] block = block_array
    cdef double[::1] elsewhere = np.empty(n)
    cdef double[:, ::1] sums = np.zeros((n + 1, 2))
    cdef double rare, weight, other, often, title, page
    for i in range(n):
        weight = other = often = title = 0
        for j in range(word_ends[i], word_ends[i + 1]):
            rare = rare_of_length[min(word_length[j], last_rare)]
            weight += rare
            other += rare * logs[0, j]
            often += rare * logs[1, j]
            title += rare * in_title[j]
        weight = max(weight, 1e-6)
        elsewhere[i] = other / weight
        title = title / weight
        block[i, 0] = <float>elsewhere[i]
        block[i, 2] = <float>(often / weight)
        block[i, 3] = <float>title
        block[i, 4] = title > 0.8
        sums[i + 1, 0] = sums[i, 0] + ((elsewhere[i] * chars[i] + ROUNDING) - ROUNDING)
        sums[i + 1, 1] = sums[i, 1] + chars[i]
    for d in range(ends.shape[0] - 1):
        page = sums[ends[d + 1], 0] - sums[ends[d], 0]
        page = page / max(sums[ends[d + 1], 1] - sums[ends[d], 1], 1.0)
        for i in range(ends[d], ends[d + 1]):
            block[i, 1] = <float>(elsewhere[i] - page)
    return block_array


def around(
    const int64_t[::1] ends,
    const float[:, ::1] opinions,
    const double[::1] chars,
    const float[:, ::1] shape,
    widths,
):
    """Opinions around lines: a block (n_lines, n_columns), and arguments of logarithms.

    Of these there is one for each window, then those of columns 1, 2 and 4 after the windows'.
    """
    cdef Py_ssize_t n = chars.shape[0], n_windows = 2 * len(widths), d, i, j, w, first, last, low, high, at
    cdef Py_ssize_t n_columns = n_windows * (N_OPINIONS + 1) + 7 + N_OPINIONS
    cdef int64_t[::1] width = np.array(widths, dtype=np.int64)
    block_array = np.empty((n, n_columns), dtype=np.float32)
    logs_array = np.empty((n_windows + 3, n), dtype=np.float32)
    cdef float[:, ::1] block = block_array, logs = logs_array
    cdef double[:, ::1] sums = np.zeros((n + 1, N_OPINIONS + 2))
    cdef double weight, content, part, inverse, total, prose, done, done_prose, after_two, before_two
    for i in range(n):
        weight = min(chars[i], 600.0)
        content = opinions[i, 0] * weight
        sums[i + 1, 0] = sums[i, 0] + weight
        for j in range(N_OPINIONS):
            sums[i + 1, 1 + j] = sums[i, 1 + j] + opinions[i, j] * weight
        sums[i + 1, 1 + N_OPINIONS] = sums[i, 1 + N_OPINIONS] + (content if shape[i, 28] > 0 else 0)
    for d in range(ends.shape[0] - 1):
        first, last = ends[d], ends[d + 1]
        total = max(sums[last, 1] - sums[first, 1], 1e-6)
        prose = max(sums[last, 1 + N_OPINIONS] - sums[first, 1 + N_OPINIONS], 1e-6)
        for i in range(first, last):
            at = 0
            after_two = before_two = 0
            for w in range(n_windows):
                if w % 2 == 0:
                    low, high = max(i - width[w // 2], first), i
                else:
                    low, high = i + 1, min(i + width[w // 2] + 1, last)
                part = sums[high, 0] - sums[low, 0]
                logs[w, i] = <float>(1 + part)
                inverse = 1.0 / max(part, 1.0)
                for j in range(N_OPINIONS):
                    block[i, at + j] = <float>((sums[high, 1 + j] - sums[low, 1 + j]) * inverse)
                if w == 0:
                    before_two = (sums[high, 1] - sums[low, 1]) * inverse
                if w == 1:
                    after_two = (sums[high, 1] - sums[low, 1]) * inverse
                at += N_OPINIONS + 1
            content = opinions[i, 0] * min(chars[i], 600.0)
            done = sums[i, 1] - sums[first, 1]
            done_prose = sums[i, 1 + N_OPINIONS] - sums[first, 1 + N_OPINIONS]
            block[i, at] = <float>(done / total)
            logs[n_windows, i] = <float>(1 + done)
            logs[n_windows + 1, i] = <float>(1 + max(total - done - content, 0.0))
            block[i, at + 3] = <float>(done_prose / prose)
            logs[n_windows + 2, i] = <float>(1 + prose)
            inverse = 1.0 / max(sums[last, 0] - sums[first, 0], 1.0)
            for j in range(N_OPINIONS):
                block[i, at + 5 + j] = <float>((sums[last, 1 + j] - sums[first, 1 + j]) * inverse)
            block[i, at + 5 + N_OPINIONS] = <float>(opinions[i, 0] - before_two)
            block[i, at + 6 + N_OPINIONS] = <float>(opinions[i, 0] - after_two)
    return block_array, logs_array
