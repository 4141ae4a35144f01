# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Targets of links, and what lines' links say, compiled.

:mod:`~boilerplate_ds.features.link_tokens`, :mod:`~boilerplate_ds.features.markup_tokens` and
:mod:`~boilerplate_ds.features.tree` are the definitions; results are the same bit by bit. As in
``context_kernel``, logarithms are left to numpy.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from boilerplate_ds.features.mixing cimport mix

import numpy as np

cdef enum:  # the kinds of targets, the parts of one, and the class of digits, of link_tokens.py and lines.py
    NO_LINK, FRAGMENT, RELATIVE, ABSOLUTE, OTHER
cdef enum:
    HOST, PATH, QUERY
cdef enum:
    DIGIT = 5
    N_KINDS = 5
    N_BETWEEN = 4
    NO_KIND = 5

cdef uint64_t SPREAD = 0x9E3779B97F4A7C15ULL


def targets(
    const uint32_t[::1] normal,
    const uint8_t[::1] classes,
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int64_t[::1] word_start,
    const int64_t[::1] word_ends,
    const uint64_t[::1] word_hash,
    const int64_t[::1] document,
):
    """Read targets: their kinds, the part each word is of, keys of their hosts, and counts of characters.

    Counted are slashes, hyphens or underscores, digits and question marks; (n_targets, 4).
    """
    cdef Py_ssize_t n = start.shape[0], i, j, word
    kind_array = np.empty(n, dtype=np.int64)
    part_array = np.empty(word_start.shape[0], dtype=np.int64)
    key_array = np.empty(n, dtype=np.uint64)
    count_array = np.zeros((n, 4), dtype=np.int64)
    cdef int64_t[::1] kind = kind_array, part = part_array
    cdef uint64_t[::1] key = key_array
    cdef int64_t[:, ::1] count = count_array
    cdef int64_t colons, slashes
    cdef bint asked
    cdef uint64_t host
    cdef uint32_t letter
    for i in range(n):
        colons = 0
        for j in range(start[i], start[i] + length[i]):
            letter = normal[j]
            count[i, 0] += letter == c"/"
            count[i, 1] += (letter == c"-") | (letter == c"_")
            count[i, 2] += classes[j] == DIGIT
            count[i, 3] += letter == c"?"
            colons += letter == c":"
        if length[i] == 0:
            kind[i] = NO_LINK
        elif normal[start[i]] == c"#":
            kind[i] = FRAGMENT
        elif (colons and count[i, 0] >= 2) or (
            length[i] >= 2 and normal[start[i]] == c"/" and normal[start[i] + 1] == c"/"
        ):
            kind[i] = ABSOLUTE
        else:
            kind[i] = OTHER if colons else RELATIVE
        host = 0
        slashes = 0
        asked = False
        j = start[i]
        for word in range(word_ends[i], word_ends[i + 1]):
            while j < word_start[word]:
                letter = normal[j]
                slashes += letter == c"/"
                asked = asked or letter == c"?" or letter == c"#"
                j += 1
            part[word] = QUERY if asked else HOST if kind[i] == ABSOLUTE and slashes <= 2 else PATH
            if part[word] == HOST:
                host += word_hash[word]
        key[i] = mix(host + <uint64_t>document[i] * SPREAD)
    return kind_array, part_array, key_array, count_array


def host_shares(
    const uint64_t[::1] key,
    const int64_t[::1] order,
    const int64_t[::1] kind,
    const int64_t[::1] document,
    Py_ssize_t n_documents,
):
    """Share of a document's absolute targets that have each one's host; 0 for the others."""
    cdef Py_ssize_t n = key.shape[0], i, j, k
    shares_array = np.zeros(n)
    cdef double[::1] shares = shares_array
    cdef double[::1] total = np.zeros(n_documents)
    cdef double same
    for i in range(n):
        total[document[i]] += kind[i] == ABSOLUTE
    i = 0
    while i < n:  # runs of equal keys
        same = 0
        j = i
        while j < n and key[order[j]] == key[order[i]]:
            same += kind[order[j]] == ABSOLUTE
            j += 1
        for k in range(i, j):
            if kind[order[k]] == ABSOLUTE:
                shares[order[k]] = same / max(total[document[order[k]]], 1.0)
        i = j
    return shares_array


def target_codes(
    const int64_t[::1] kind,
    const int64_t[:, ::1] count,
    const int64_t[::1] length,
    const double[::1] host_share,
    const int64_t[::1] code_of_length,
):
    """Numbers of what targets look like; (n_targets, 4)."""
    cdef Py_ssize_t n = kind.shape[0], i
    codes_array = np.empty((n, 4), dtype=np.int64)
    cdef int64_t[:, ::1] codes = codes_array
    cdef int64_t hyphens, host
    for i in range(n):
        hyphens = min(count[i, 1], 7)
        host = min(<int64_t>(4 * host_share[i]), 3)
        codes[i, 0] = (kind[i] * 8 + min(count[i, 0], 7)) * 2 + min(count[i, 3], 1)
        codes[i, 1] = kind[i] * 64 + hyphens * 8 + min(count[i, 2], 7)
        codes[i, 2] = kind[i] * 16 + code_of_length[length[i]]
        codes[i, 3] = (kind[i] * 4 + host) * 8 + hyphens
    return codes_array


def link_codes(
    const int64_t[:, ::1] of_target,
    const int64_t[::1] kind,
    const int64_t[::1] link,
    const int32_t[:, ::1] between,
    const float[:, ::1] shape,
    const int64_t[::1] rows,
    const int64_t[::1] document,
    const int64_t[::1] code_of_count,
    int64_t first_code,
):
    """Numbers of what lines' links look like and of what stands around them; (n_marked, 10)."""
    cdef Py_ssize_t n = link.shape[0], i, j, most = code_of_count.shape[0] - 1
    codes_array = np.empty((n, 10), dtype=np.int64)
    cdef int64_t[:, ::1] codes = codes_array
    cdef int64_t own, size, before, after, same_before, same_after
    cdef int64_t[N_BETWEEN] here, there
    for i in range(n):
        own = kind[link[i]]
        size = <int64_t>min(2 * shape[rows[i], 0], <float>15)
        before = after = NO_KIND
        same_before = same_after = 0
        for j in range(N_BETWEEN):
            here[j] = code_of_count[min(between[i, j], most)]
            there[j] = 8
        if i > 0 and document[i - 1] == document[i]:
            before = kind[link[i - 1]]
            same_before = own > 0 and link[i - 1] == link[i]
        if i + 1 < n and document[i + 1] == document[i]:
            after = kind[link[i + 1]]
            same_after = own > 0 and link[i + 1] == link[i]
            for j in range(N_BETWEEN):
                there[j] = code_of_count[min(between[i + 1, j], most)]
        for j in range(4):
            codes[i, j] = first_code + of_target[link[i], j]
        codes[i, 4] = first_code + own * 64 + size * 4 + same_before * 2 + same_after
        codes[i, 5] = first_code + (own * 6 + before) * 6 + after
        codes[i, 6] = first_code + here[0] * 9 + there[0]
        codes[i, 7] = first_code + (min(here[1], 3) * 5 + min(there[1], 4)) * 16 + size
        codes[i, 8] = first_code + min(here[2], 3) * 5 + min(there[2], 4)
        codes[i, 9] = first_code + here[3] * 9 + there[3]
    return codes_array


def words_of_links(
    const int64_t[::1] link,
    const int64_t[::1] word_ends,
    const uint64_t[::1] word_hash,
    const int64_t[::1] word_part,
    Py_ssize_t most,
    uint64_t salt,
    int bits,
):
    """Buckets of the first words of each line's target, told apart by their part, and the ends of lines."""
    cdef Py_ssize_t n = link.shape[0], i, word, at = 0
    cdef int shift = 64 - bits
    ends_array = np.empty(n + 1, dtype=np.int64)
    cdef int64_t[::1] ends = ends_array
    ends[0] = 0
    for i in range(n):
        ends[i + 1] = ends[i] + min(word_ends[link[i] + 1] - word_ends[link[i]], most)
    buckets_array = np.empty(ends[n], dtype=np.int64)
    cdef int64_t[::1] buckets = buckets_array
    for i in range(n):
        word = word_ends[link[i]]
        for at in range(ends[i], ends[i + 1]):
            buckets[at] = <int64_t>(mix(word_hash[word] + <uint64_t>(word_part[word] + 1) * salt) >> shift)
            word += 1
    return buckets_array, ends_array


def links(
    const int64_t[::1] link,
    const int32_t[:, ::1] between,
    const int64_t[::1] document,
    const int64_t[::1] kind,
    const double[::1] host_share,
    const int64_t[::1] word_ends,
):
    """What stands between lines and what links have in common: a block, and arguments of logarithms.

    These are of the columns between lines (8), of how many lines have the link, and of its words.
    """
    cdef Py_ssize_t n = link.shape[0], i, j
    block_array = np.zeros((n, 2 * N_BETWEEN + N_KINDS + 5), dtype=np.float32)
    logs_array = np.ones((2 * N_BETWEEN + 2, n), dtype=np.float32)
    cdef float[:, ::1] block = block_array, logs = logs_array
    cdef int64_t[::1] lines_of_link = np.zeros(kind.shape[0], dtype=np.int64)
    for i in range(n):
        lines_of_link[link[i]] += 1
    for i in range(n):
        for j in range(N_BETWEEN):
            logs[j, i] = <float>(1 + <int64_t>between[i, j])
            if i + 1 < n and document[i + 1] == document[i]:
                logs[N_BETWEEN + j, i] = <float>(1 + <int64_t>between[i + 1, j])
        for j in range(N_KINDS):
            block[i, 2 * N_BETWEEN + j] = kind[link[i]] == j
        j = 2 * N_BETWEEN + N_KINDS
        block[i, j] = i > 0 and link[i - 1] == link[i] and kind[link[i]] > 0
        block[i, j + 1] = i + 1 < n and link[i + 1] == link[i] and kind[link[i]] > 0
        if kind[link[i]] > 0:
            logs[2 * N_BETWEEN, i] = <float>lines_of_link[link[i]]
        block[i, j + 3] = <float>host_share[link[i]]
        logs[2 * N_BETWEEN + 1, i] = <float>(1 + word_ends[link[i] + 1] - word_ends[link[i]])
    return block_array, logs_array
