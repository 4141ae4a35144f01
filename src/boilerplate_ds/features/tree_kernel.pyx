# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Element trees, the tokens around lines and what lines' places in trees say, compiled.

:mod:`~boilerplate_ds.features.tree` and :mod:`~boilerplate_ds.features.markup_tokens` are the definitions;
results are the same bit by bit. As in ``context_kernel``, logarithms are left to numpy.
"""

from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_GET_LENGTH
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from boilerplate_ds.features.mixing cimport mix

import numpy as np

cdef enum:
    N_VALUES = 9  # what is summed over lines: one, characters, linked ones, repeated ones, five opinions

cdef uint64_t SPREAD = 0x9E3779B97F4A7C15ULL
cdef double ROUNDING = 6442450944.0  # as in columns.py


def inherited(
    const int64_t[::1] parent, const int64_t[::1] tag, const uint8_t[::1] hidden, const uint8_t[::1] is_list
):
    """Depth, list depth, hiddenness and end of the subtree of every element; parents come first."""
    cdef Py_ssize_t n = parent.shape[0], i, up
    depth_array = np.zeros(n, dtype=np.int64)
    list_depth_array = np.empty(n, dtype=np.int64)
    hidden_array = np.empty(n, dtype=np.uint8)
    end_array = np.arange(1, n + 1)
    cdef int64_t[::1] depth = depth_array, list_depth = list_depth_array, end = end_array
    cdef uint8_t[::1] is_hidden = hidden_array
    for i in range(n):
        up = parent[i]
        if up > i:
            raise ValueError("a parent comes before its children")
        list_depth[i] = is_list[tag[i]]
        is_hidden[i] = hidden[i]
        if up != i:
            depth[i] = depth[up] + 1
            is_hidden[i] |= is_hidden[up]
            if parent[up] != up:
                list_depth[i] += list_depth[up]
    for i in range(n - 1, -1, -1):
        end[parent[i]] = max(end[parent[i]], end[i])
    return depth_array, list_depth_array, hidden_array.view(bool), end_array


def kinds(
    const int16_t[::1] tag,
    const int32_t[::1] attribute,
    tuple attributes not None,
    list known not None,
):
    """Add the pairs of tag and attributes of one document to ``known`` as they come; give each element's number."""
    cdef Py_ssize_t n = tag.shape[0], i, n_kinds = 0, before = len(known)
    cdef int64_t number
    numbers_array = np.empty(n, dtype=np.int64)
    cdef int64_t[::1] numbers = numbers_array, first = np.empty(n, dtype=np.int64)
    cdef int64_t[::1] latest = np.full(len(attributes), -1)  # of each attributes the newest kind
    cdef int64_t[::1] older = np.empty(n, dtype=np.int64)  # and of each kind the one before: one a tag, so few
    for i in range(n):
        number = latest[attribute[i]]
        while number >= 0 and tag[first[number]] != tag[i]:
            number = older[number]
        if number < 0:
            number = n_kinds
            n_kinds += 1
            first[number] = i
            older[number] = latest[attribute[i]]
            latest[attribute[i]] = number
            known.append((tag[i], attributes[attribute[i]]))
        numbers[i] = before + number
    return numbers_array


def above(const int64_t[::1] element, const int64_t[::1] parent, Py_ssize_t heights):
    """Elements around each line, nearest first; (heights, n_lines)."""
    cdef Py_ssize_t n = element.shape[0], h, i
    above_array = np.empty((heights, n), dtype=np.int64)
    cdef int64_t[:, ::1] around = above_array
    for i in range(n):
        around[0, i] = element[i]
        for h in range(1, heights):
            around[h, i] = parent[around[h - 1, i]]
    return above_array


def element_tokens(
    const int64_t[:, ::1] around,
    const int64_t[::1] kind,
    const int64_t[::1] tag,
    const uint32_t[::1] tokens,
    const int64_t[::1] token_ends,
    const uint32_t[::1] nearness,
    int bits,
):
    """Buckets of the tokens of the elements around each line and of its tag path, and the ends of lines."""
    cdef Py_ssize_t heights = around.shape[0], n = around.shape[1], i, h, t, k, at = 0
    cdef int shift = 32 - bits
    cdef uint32_t salt, path
    ends_array = np.empty(n + 1, dtype=np.int64)
    cdef int64_t[::1] ends = ends_array
    ends[0] = 0
    for i in range(n):
        at += 1
        for h in range(heights):
            if h == 0 or around[h, i] != around[h - 1, i]:
                k = kind[around[h, i]]
                at += token_ends[k + 1] - token_ends[k]
        ends[i + 1] = at
    buckets_array = np.empty(at, dtype=np.int64)
    cdef int64_t[::1] buckets = buckets_array
    at = 0
    for i in range(n):
        for h in range(heights):
            if h == 0 or around[h, i] != around[h - 1, i]:
                k = kind[around[h, i]]
                salt = nearness[h] * <uint32_t>0x9E3779B1
                for t in range(token_ends[k], token_ends[k + 1]):
                    buckets[at] = ((tokens[t] ^ salt) * <uint32_t>0x85EBCA6B) >> shift
                    at += 1
        path = (<uint32_t>tag[around[0, i]] * 64 + <uint32_t>tag[around[1, i]]) * 64
        path = ((path + <uint32_t>tag[around[2, i]]) ^ <uint32_t>0x5BD1E995) * <uint32_t>0xC2B2AE35
        buckets[at] = path >> shift
        at += 1
    return buckets_array, ends_array


def shape_codes(
    const float[:, ::1] shape,
    const int64_t[::1] rows,
    const float[::1] link_share,
    const int64_t[:, ::1] around,
    const int64_t[::1] block,
    const int64_t[::1] tag,
    const int64_t[::1] document,
    Py_ssize_t n_tags,
):
    """Numbers of what marked lines look like in their tags; (n_marked, 7)."""
    cdef Py_ssize_t n = rows.shape[0], i
    codes_array = np.empty((n, 7), dtype=np.int64)
    cdef int64_t[:, ::1] codes = codes_array
    cdef int64_t[:, ::1] own = np.empty((n, 2), dtype=np.int64)  # length and block's tag
    cdef int64_t linked_ends, before, after, length_before, length_after
    for i in range(n):
        own[i, 0] = <int64_t>min(shape[rows[i], 0], <float>7)
        own[i, 1] = tag[block[i]]
    for i in range(n):
        before = after = n_tags
        length_before = length_after = 0
        if i > 0 and document[i - 1] == document[i]:
            length_before, before = own[i - 1, 0], own[i - 1, 1]
        if i + 1 < n and document[i + 1] == document[i]:
            length_after, after = own[i + 1, 0], own[i + 1, 1]
        linked_ends = <int64_t>min(link_share[i] * 4, <float>3) * 2 + <int64_t>shape[rows[i], 23]
        codes[i, 0] = tag[around[0, i]] * 8 + own[i, 0]
        codes[i, 1] = own[i, 1] * 8 + own[i, 0]
        codes[i, 2] = own[i, 1] * 8 + linked_ends
        codes[i, 3] = tag[around[1, i]] * 8 + linked_ends
        codes[i, 4] = own[i, 0] * 8 + linked_ends
        codes[i, 5] = (before * 31 + own[i, 1] * 7 + after) % 1024
        codes[i, 6] = length_before * 64 + own[i, 0] * 8 + length_after
    return codes_array


def places(
    const int64_t[:, ::1] around,
    const int64_t[::1] block,
    const int64_t[::1] tag,
    const int64_t[::1] depth,
    const int64_t[::1] list_depth,
    const uint8_t[::1] hidden,
    const float[::1] link_share,
    const int64_t[::1] column_of_tag,
    const uint32_t[::1] bit_of_tag,
    const float[::1] heading,
    Py_ssize_t n_named,
    Py_ssize_t n_landmarks,
):
    """What the tags around each line say; (n_marked, 6 + n_named + n_landmarks)."""
    cdef Py_ssize_t heights = around.shape[0], n = around.shape[1], i, h, at, column, own
    cdef uint32_t landmarks
    cdef float level
    out_array = np.zeros((n, 6 + n_named + n_landmarks), dtype=np.float32)
    cdef float[:, ::1] out = out_array
    for i in range(n):
        own = around[0, i]
        out[i, 0] = 1
        out[i, 1] = link_share[i]
        column = column_of_tag[tag[own]]
        if column < n_named:
            out[i, 2 + column] = 1
        column = column_of_tag[tag[block[i]]]
        if column < n_named:
            out[i, 2 + column] = 1
        at = 2 + n_named
        landmarks = 0
        level = 0
        for h in range(heights):
            landmarks |= bit_of_tag[tag[around[h, i]]]
            if h < 4:
                level = max(level, heading[tag[around[h, i]]])
        for h in range(n_landmarks):
            out[i, at + h] = (landmarks >> h) & 1
        at += n_landmarks
        out[i, at] = level
        out[i, at + 1] = <float>(min(list_depth[own], 4) / <double>2)
        out[i, at + 2] = hidden[own] != 0
        out[i, at + 3] = <float>(min(depth[own], 30) / <double>10)
    return out_array


def values(
    const double[::1] chars,
    const float[::1] link_share,
    const double[::1] repeated,
    const float[:, ::1] opinions,
):
    """What is summed over lines; (n_marked, 9)."""
    cdef Py_ssize_t n = chars.shape[0], i, j
    out_array = np.empty((n, N_VALUES))
    cdef double[:, ::1] out = out_array
    for i in range(n):
        out[i, 0] = 1
        out[i, 1] = chars[i]
        out[i, 2] = (chars[i] * link_share[i] + ROUNDING) - ROUNDING
        out[i, 3] = chars[i] * repeated[i]
        for j in range(N_VALUES - 4):
            out[i, 4 + j] = opinions[i, j] * chars[i]
    return out_array


def spans(
    const int64_t[::1] element,
    const int64_t[::1] block,
    const int64_t[::1] parent,
    const int64_t[::1] subtree_end,
    Py_ssize_t n_spans,
):
    """Starts and ends of the lines of ever larger elements around each line; each (n_spans, n_marked)."""
    cdef Py_ssize_t n = element.shape[0], n_elements = parent.shape[0], i, s, up
    starts_array = np.empty((n_spans, n), dtype=np.int64)
    ends_array = np.empty((n_spans, n), dtype=np.int64)
    cdef int64_t[:, ::1] starts = starts_array, ends = ends_array
    cdef int64_t[::1] before = np.zeros(n_elements + 1, dtype=np.int64)
    cdef int64_t[::1] top = np.empty(n_elements, dtype=np.int64)
    for i in range(n):
        before[element[i] + 1] += 1
    for i in range(n_elements):
        before[i + 1] += before[i]
    for i in range(n_elements):
        up = parent[i]
        if before[up] == before[i] and before[subtree_end[up]] == before[subtree_end[i]]:
            top[i] = top[up] if up < i else up
        else:
            top[i] = i
    for i in range(n):
        up = block[i]
        for s in range(n_spans):
            up = parent[top[up]]
            starts[s, i] = before[up]
            ends[s, i] = before[subtree_end[up]]
    return starts_array, ends_array


def span_sums(
    const int64_t[::1] order,
    const int64_t[:, ::1] starts,
    const int64_t[:, ::1] ends,
    const double[:, ::1] summed,
    const double[::1] total,
):
    """For the blocks around each line, what stands inside: a block of columns, and arguments of logarithms."""
    cdef Py_ssize_t n = order.shape[0], n_spans = starts.shape[0], i, j, s, at, low, high
    cdef Py_ssize_t width = N_VALUES + 1
    block_array = np.empty((n, n_spans * width), dtype=np.float32)
    logs_array = np.empty((2 * n_spans, n), dtype=np.float32)
    cdef float[:, ::1] out = block_array, logs = logs_array
    cdef double[:, ::1] running = np.zeros((n + 1, N_VALUES))
    cdef double inside, inverse
    for i in range(n):
        for j in range(N_VALUES):
            running[i + 1, j] = running[i, j] + summed[order[i], j]
    for i in range(n):
        for s in range(n_spans):
            low, high = starts[s, i], ends[s, i]
            at = s * width
            inside = running[high, 1] - running[low, 1]
            inverse = 1.0 / max(inside, 1.0)
            logs[2 * s, i] = <float>(1 + inside)
            logs[2 * s + 1, i] = <float>(1 + (running[high, 0] - running[low, 0]))
            out[i, at + 2] = <float>(inside / total[i])
            for j in range(2, N_VALUES):
                out[i, at + 1 + j] = <float>((running[high, j] - running[low, j]) * inverse)
    return block_array, logs_array


def place_keys(const int64_t[::1] own, const int64_t[::1] outer, const int64_t[::1] document):
    """Keys that lines of one document in like elements share."""
    cdef Py_ssize_t n = own.shape[0], i
    keys_array = np.empty(n, dtype=np.uint64)
    cdef uint64_t[::1] keys = keys_array
    for i in range(n):
        keys[i] = mix(mix(<uint64_t>own[i] * SPREAD + <uint64_t>outer[i]) + <uint64_t>document[i])
    return keys_array


def kind_sums(
    const uint64_t[::1] key, const int64_t[::1] order, const double[:, ::1] summed, const double[::1] total
):
    """For the lines with the same key: a block of columns, and arguments of the first two's logarithms."""
    cdef Py_ssize_t n = key.shape[0], n_groups = 0, i, j, g
    block_array = np.empty((n, N_VALUES), dtype=np.float32)
    logs_array = np.empty((2, n), dtype=np.float32)
    cdef float[:, ::1] out = block_array, logs = logs_array
    cdef int64_t[::1] group = np.empty(n, dtype=np.int64)
    cdef double[:, ::1] sums = np.zeros((n, N_VALUES))
    cdef double inverse
    for i in range(n):
        n_groups += i == 0 or key[order[i]] != key[order[i - 1]]
        group[order[i]] = n_groups - 1
    for i in range(n):
        g = group[i]
        for j in range(N_VALUES):
            sums[g, j] += summed[i, j]
    for i in range(n):
        g = group[i]
        inverse = 1.0 / max(sums[g, 1], 1.0)
        logs[0, i] = <float>(1 + sums[g, 0])
        logs[1, i] = <float>(1 + sums[g, 1] / sums[g, 0])
        out[i, 2] = <float>(sums[g, 2] * inverse)
        for j in range(4, N_VALUES):
            out[i, j - 1] = <float>(sums[g, j] * inverse)
        out[i, N_VALUES - 1] = <float>(sums[g, 1] / total[i])
    return block_array, logs_array


cdef uint32_t[4][256] CRC  # of a byte with none to three bytes after it


cdef void fill_crc() noexcept:
    cdef uint32_t value
    cdef int byte, bit, after
    for byte in range(256):
        value = byte
        for bit in range(8):
            value = (value >> 1) ^ (<uint32_t>0xEDB88320 if value & 1 else 0)
        CRC[0][byte] = value
    for byte in range(256):
        for after in range(1, 4):
            value = CRC[after - 1][byte]
            CRC[after][byte] = (value >> 8) ^ CRC[0][value & 255]


fill_crc()


cdef inline uint32_t crc_step(uint32_t crc, uint32_t byte) noexcept nogil:
    return (crc >> 8) ^ CRC[0][(crc ^ byte) & 255]


cdef inline uint32_t crc_of(uint32_t crc, const uint8_t* text, Py_ssize_t size, uint8_t case) noexcept nogil:
    """Go on with a checksum (CRC-32), four bytes at a time; ``case`` is 32 for letters to be taken as small."""
    cdef Py_ssize_t at = 0
    while at + 4 <= size:
        crc = (
            CRC[3][(crc ^ (text[at] | case)) & 255]
            ^ CRC[2][((crc >> 8) ^ (text[at + 1] | case)) & 255]
            ^ CRC[1][((crc >> 16) ^ (text[at + 2] | case)) & 255]
            ^ CRC[0][(crc >> 24) ^ (text[at + 3] | case)]
        )
        at += 4
    while at < size:
        crc = crc_step(crc, text[at] | case)
        at += 1
    return crc


cdef inline bint is_upper(uint8_t byte) noexcept nogil:
    return 65 <= byte <= 90


cdef inline bint is_lower(uint8_t byte) noexcept nogil:
    return 97 <= byte <= 122


cdef inline Py_ssize_t end_of_word(const uint8_t* text, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
    """Where the word ends that starts at a letter: lower-case ones after one capital or none, or capitals."""
    cdef Py_ssize_t end = at
    while end < size and is_upper(text[end]):
        end += 1
    if end - at <= 1 and end < size and is_lower(text[end]):
        while end < size and is_lower(text[end]):
            end += 1
    elif end - at > 1 and end < size and is_lower(text[end]):
        end -= 1  # the last capital starts the next word
    return end


def tokens_of_kinds(
    list kinds not None, tag_hashes, Py_ssize_t read, Py_ssize_t whole, Py_ssize_t most, otherwise
):
    """Hashes of the tokens of each kind of element, and the ends of each kind's.

    ``otherwise`` is asked where attributes are not ASCII.
    """
    cdef Py_ssize_t n = len(kinds), k, at, end, j, first, size, used = 0, tag
    cdef uint32_t crc
    cdef bint is_new
    cdef const uint8_t* text
    cdef uint32_t[::1] of_tag = np.array(tag_hashes, dtype=np.uint32)
    flat_array = np.empty(n * (most + 2), dtype=np.uint32)
    ends_array = np.empty(n + 1, dtype=np.int64)
    cdef uint32_t[::1] flat = flat_array
    cdef int64_t[::1] ends = ends_array
    ends[0] = 0
    for k in range(n):
        number, attributes = kinds[k]
        tag = number
        if not attributes:
            flat[used] = of_tag[tag]
            used += 1
        elif not (<str?>attributes).isascii():
            for token in otherwise(number, attributes):
                flat[used] = token
                used += 1
        else:
            flat[used] = of_tag[tag]
            used += 1
            first = used
            text = <const uint8_t*>PyUnicode_1BYTE_DATA(attributes)  # a byte a character, as they are ASCII
            size = min(PyUnicode_GET_LENGTH(attributes), read)
            at = 0
            while at < size and used - first < most:
                if not (is_upper(text[at]) or is_lower(text[at])):
                    at += 1
                    continue
                end = end_of_word(text, at, size)
                crc = crc_of(0xFFFFFFFF, text + at, end - at, 32) ^ <uint32_t>0xFFFFFFFF  # end <= size
                is_new = True
                for j in range(first, used):
                    if flat[j] == crc:
                        is_new = False
                        break
                if is_new:
                    flat[used] = crc
                    used += 1
                at = end
            crc = crc_step(0xFFFFFFFF, 61)  # =
            flat[used] = crc_of(crc, text, min(size, whole), 0) ^ <uint32_t>0xFFFFFFFF
            used += 1
        ends[k + 1] = used
    return flat_array[:used], ends_array
