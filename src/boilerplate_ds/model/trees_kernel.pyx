# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Sums of trees for blocks of lines, compiled; :mod:`boilerplate_ds.model.trees` is the definition.

A test is done for all lines of a block at once, and so is the look-up of their leaves, in vectors as wide as
the processor has.
"""

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t

import numpy as np

cdef enum:
    N_LEAVES = 32
    N_TESTS = 31
    BLOCK = 32  # lines; their features stay in the processor's nearest cache


cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>

    /* Adds up the leaves that 32 lines come to in every ``step``-th of ``n_trees`` trees; ``columns`` has 32 numbers
       for each feature. The last leaf always stays, whatever a stranger's model rules out. */
    typedef void sum_of_trees(
        int32_t *sums, const float *columns, ptrdiff_t n_trees, ptrdiff_t step, const uint8_t *feature,
        const float *threshold, const uint32_t *out, const int32_t *value);

    #define EACH_TREE                                                                                       \\
        for (; n_trees > 0; n_trees -= step, feature += 31 * step, threshold += 31 * step, out += 31 * step, \\
                            value += 32 * step)

    #if defined(__GNUC__)
    typedef float four_numbers __attribute__((vector_size(16), aligned(4), may_alias));
    typedef uint32_t four_lanes __attribute__((vector_size(16), aligned(4), may_alias));
    #endif

    static void sum_anywhere(
        int32_t *sums, const float *columns, ptrdiff_t n_trees, ptrdiff_t step, const uint8_t *feature,
        const float *threshold, const uint32_t *out, const int32_t *value
    ) {
        /* a product with a de Bruijn sequence has another number in its upper five bits for each place of a bit */
        static const unsigned char place[32] = {
            0, 1, 28, 2, 29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4, 8,
            31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6, 11, 5, 10, 9};
        for (int i = 0; i < 32; i++)
            sums[i] = 0;
        EACH_TREE {
            uint32_t gone[32];
    #if defined(__GNUC__)
            four_lanes some[8] = {{0}};
            for (int test = 0; test < 31; test++) {
                const four_numbers *column = (const four_numbers *) (columns + 32 * (ptrdiff_t) feature[test]);
                four_numbers limit = threshold[test] - (four_numbers) {0};
                four_lanes leaves = out[test] - (four_lanes) {0};
                for (int i = 0; i < 8; i++)
                    some[i] |= leaves & (four_lanes) (column[i] > limit);
            }
            for (int i = 0; i < 8; i++)
                ((four_lanes *) gone)[i] = some[i];
    #else
            for (int i = 0; i < 32; i++)
                gone[i] = 0;
            for (int test = 0; test < 31; test++)
                for (int i = 0; i < 32; i++)
                    gone[i] |= out[test] & (0u - (uint32_t) (columns[32 * feature[test] + i] > threshold[test]));
    #endif
            for (int i = 0; i < 32; i++) {
                uint32_t left = ~gone[i] | 0x80000000u;
                sums[i] += value[place[((left & (0u - left)) * 0x077CB531u) >> 27]];
            }
        }
    }

    #if defined(__x86_64__) && defined(__GNUC__)
    #include <immintrin.h>

    /* a power of two as a floating-point number has its logarithm, plus 127, where the exponent is */
    __attribute__((target("avx2"))) static void sum_avx2(
        int32_t *sums, const float *columns, ptrdiff_t n_trees, ptrdiff_t step, const uint8_t *feature,
        const float *threshold, const uint32_t *out, const int32_t *value
    ) {
        __m256i total[4] = {{0}};
        EACH_TREE {
            __m256i gone[4] = {{0}};
            for (int test = 0; test < 31; test++) {
                const float *column = columns + 32 * (ptrdiff_t) feature[test];
                __m256 limit = _mm256_set1_ps(threshold[test]);
                __m256i leaves = _mm256_set1_epi32((int) out[test]);
                for (int i = 0; i < 4; i++) {
                    __m256 fails = _mm256_cmp_ps(_mm256_loadu_ps(column + 8 * i), limit, _CMP_GT_OQ);
                    gone[i] = _mm256_or_si256(gone[i], _mm256_and_si256(leaves, _mm256_castps_si256(fails)));
                }
            }
            for (int i = 0; i < 4; i++) {
                __m256i left = _mm256_or_si256(
                    _mm256_andnot_si256(gone[i], _mm256_set1_epi32(-1)), _mm256_set1_epi32(INT32_MIN));
                __m256i lowest = _mm256_and_si256(left, _mm256_sub_epi32(_mm256_setzero_si256(), left));
                __m256i power = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(lowest)), 23);
                __m256i leaf = _mm256_and_si256(
                    _mm256_add_epi32(power, _mm256_set1_epi32(1)), _mm256_set1_epi32(31));
                total[i] = _mm256_add_epi32(total[i], _mm256_i32gather_epi32(value, leaf, 4));
            }
        }
        for (int i = 0; i < 4; i++)
            _mm256_storeu_si256((__m256i *) (sums + 8 * i), total[i]);
    }

    __attribute__((target("avx512f"))) static void sum_avx512(
        int32_t *sums, const float *columns, ptrdiff_t n_trees, ptrdiff_t step, const uint8_t *feature,
        const float *threshold, const uint32_t *out, const int32_t *value
    ) {
        __m512i total[2] = {{0}};
        EACH_TREE {
            __m512i gone[2] = {{0}};
            for (int test = 0; test < 31; test++) {
                const float *column = columns + 32 * (ptrdiff_t) feature[test];
                __m512 limit = _mm512_set1_ps(threshold[test]);
                __m512i leaves = _mm512_set1_epi32((int) out[test]);
                for (int i = 0; i < 2; i++) {
                    __mmask16 fails = _mm512_cmp_ps_mask(_mm512_loadu_ps(column + 16 * i), limit, _CMP_GT_OQ);
                    gone[i] = _mm512_mask_or_epi32(gone[i], fails, gone[i], leaves);
                }
            }
            __m512i low = _mm512_loadu_si512(value), high = _mm512_loadu_si512(value + 16);
            for (int i = 0; i < 2; i++) {
                __m512i left = _mm512_or_si512(
                    _mm512_andnot_si512(gone[i], _mm512_set1_epi32(-1)), _mm512_set1_epi32(INT32_MIN));
                __m512i lowest = _mm512_and_si512(left, _mm512_sub_epi32(_mm512_setzero_si512(), left));
                __m512i power = _mm512_srli_epi32(_mm512_castps_si512(_mm512_cvtepi32_ps(lowest)), 23);
                __m512i leaf = _mm512_add_epi32(power, _mm512_set1_epi32(1)); /* its lower five bits count */
                total[i] = _mm512_add_epi32(total[i], _mm512_permutex2var_epi32(low, leaf, high));
            }
        }
        for (int i = 0; i < 2; i++)
            _mm512_storeu_si512(sums + 16 * i, total[i]);
    }

    static sum_of_trees *summing(int width) {
        if (width >= 512 && __builtin_cpu_supports("avx512f"))
            return sum_avx512;
        return width >= 256 && __builtin_cpu_supports("avx2") ? sum_avx2 : sum_anywhere;
    }
    #else
    static sum_of_trees *summing(int width) { (void) width; return sum_anywhere; }
    #endif
    """
    ctypedef void sum_of_trees(
        int32_t* sums,
        const float* columns,
        Py_ssize_t n_trees,
        Py_ssize_t step,
        const uint8_t* feature,
        const float* threshold,
        const uint32_t* out,
        const int32_t* value,
    ) noexcept nogil
    sum_of_trees* summing(int width) noexcept nogil


def sums(
    const float[:, ::1] features,
    const uint8_t[:, ::1] feature,
    const float[:, ::1] threshold,
    const uint32_t[:, ::1] out,
    const int32_t[:, ::1] value,
    Py_ssize_t n_questions,
    int width=512,
):
    """Sum of the leaves that each line comes to, in whole units; int64, shape (n_lines, n_questions).

    ``width`` is for tests: bits of the vectors to use at most.
    """
    cdef Py_ssize_t n_lines = features.shape[0], n_trees = feature.shape[0]
    cdef Py_ssize_t tree, question, first, i, count, column, together
    cdef int32_t[BLOCK] part
    cdef sum_of_trees* add_up = summing(width)
    totals_array = np.zeros((n_lines, n_questions), dtype=np.int64)
    cdef int64_t[:, ::1] totals = totals_array
    if not n_trees == threshold.shape[0] == out.shape[0] == value.shape[0]:
        raise ValueError("as many trees in each table")
    if not (N_TESTS == feature.shape[1] == threshold.shape[1] == out.shape[1] and value.shape[1] == N_LEAVES):
        raise ValueError("as many tests and leaves in each tree")
    if n_questions < 1 or n_trees % n_questions:
        raise ValueError("as many trees for each question")
    if n_lines == 0 or n_trees == 0:
        return totals_array
    cdef Py_ssize_t[::1] used = np.flatnonzero(np.bincount(np.ravel(feature))).astype(np.intp)
    if used[used.shape[0] - 1] >= features.shape[1]:
        raise ValueError("a tree reads a feature that is not there")
    # so many trees that their sum is a whole number of 32 bits, whatever the leaves
    largest = max(int(np.max(value)), -int(np.min(value)), 1)
    together = min(n_trees, n_questions * max(INT32_MAX // largest, 1))
    cdef float[:, ::1] columns = np.zeros((used[used.shape[0] - 1] + 1, BLOCK), dtype=np.float32)
    for first in range(0, n_lines, BLOCK):
        count = min(BLOCK, n_lines - first)
        for column in used:
            for i in range(count):
                columns[column, i] = features[first + i, column]
        for question in range(n_questions):
            for tree in range(question, n_trees, together):
                add_up(
                    part,
                    &columns[0, 0],
                    min(together, n_trees - tree),
                    n_questions,
                    &feature[tree, 0],
                    &threshold[tree, 0],
                    &out[tree, 0],
                    &value[tree, 0],
                )
                for i in range(count):
                    totals[first + i, question] += part[i]
    return totals_array
