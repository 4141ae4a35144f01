# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Leaves of trees for blocks of lines, compiled; :mod:`boilerplate_ds.model.trees` is the definition.

A test is done for all lines of a block at once: the innermost loops have no branch and fixed lengths, so that
the compiler makes them of vector instructions.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

import numpy as np

cdef enum:
    N_LEAVES = 32
    N_TESTS = 31
    BLOCK = 32  # lines; their features stay in the processor's nearest cache


cdef extern from *:
    """
    #include <stdlib.h>
    /* for processors with wider vectors too, where the linker can choose between the two */
    #if defined(__GLIBC__) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    #define TWICE __attribute__((target_clones("avx2", "default")))
    #else
    #define TWICE
    #endif
    /* without branches, which nobody could predict, and without a builtin, which compilers have their own of:
       a product with a de Bruijn sequence has another number in its upper five bits for each place */
    static inline int first_leaf(uint32_t bits) {
        static const unsigned char place[32] = {
            0, 1, 28, 2, 29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4, 8,
            31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6, 11, 5, 10, 9};
        bits |= 0x80000000u;  /* the last leaf stays, whatever a stranger's model rules out */
        return place[((bits & (0u - bits)) * 0x077CB531u) >> 27];
    }
    /* all tests of a tree, each for 32 lines at once; columns has 32 numbers for each feature */
    #if defined(__GNUC__)
    typedef float numbers __attribute__((vector_size(32), aligned(4), may_alias));
    typedef uint32_t lanes __attribute__((vector_size(32), aligned(4), may_alias));
    TWICE static void find_leaves(
        uint32_t *leaves, const float *columns, const uint8_t *feature, const float *threshold, const uint32_t *out
    ) {
        lanes a = ~(lanes) {0}, b = a, c = a, d = a;
        for (int test = 0; test < 31; test++) {
            const numbers *column = (const numbers *) (columns + 32 * (size_t) feature[test]);
            numbers limit = threshold[test] - (numbers) {0};
            lanes bits = out[test] - (lanes) {0};
            a &= ~(bits & (lanes) (column[0] > limit));
            b &= ~(bits & (lanes) (column[1] > limit));
            c &= ~(bits & (lanes) (column[2] > limit));
            d &= ~(bits & (lanes) (column[3] > limit));
        }
        lanes *found = (lanes *) leaves;
        found[0] = a, found[1] = b, found[2] = c, found[3] = d;
    }
    #else
    static void find_leaves(
        uint32_t *leaves, const float *columns, const uint8_t *feature, const float *threshold, const uint32_t *out
    ) {
        for (int i = 0; i < 32; i++)
            leaves[i] = 0xFFFFFFFFu;
        for (int test = 0; test < 31; test++)
            for (int i = 0; i < 32; i++)
                leaves[i] &= ~(out[test] & (0u - (columns[32 * (size_t) feature[test] + i] > threshold[test])));
    }
    #endif
    """
    int first_leaf(uint32_t bits) nogil
    void find_leaves(
        uint32_t* leaves,
        const float* columns,
        const uint8_t* feature,
        const float* threshold,
        const uint32_t* out,
    ) nogil


def sums(
    const float[:, ::1] features,
    const uint8_t[:, ::1] feature,
    const float[:, ::1] threshold,
    const uint32_t[:, ::1] out,
    const int32_t[:, ::1] value,
    Py_ssize_t n_questions,
):
    """Sum of the leaves that each line comes to, in whole units; int64, shape (n_lines, n_questions)."""
    cdef Py_ssize_t n_lines = features.shape[0], width = features.shape[1], n_trees = feature.shape[0]
    cdef Py_ssize_t tree, question, first, i, count, column
    cdef uint32_t[BLOCK] leaves
    totals_array = np.zeros((n_lines, n_questions), dtype=np.int64)
    cdef int64_t[:, ::1] totals = totals_array
    if not n_trees == threshold.shape[0] == out.shape[0] == value.shape[0]:
        raise ValueError("as many trees in each table")
    if not (N_TESTS == feature.shape[1] == threshold.shape[1] == out.shape[1] and value.shape[1] == N_LEAVES):
        raise ValueError("as many tests and leaves in each tree")
    if n_lines == 0 or n_trees == 0:
        return totals_array
    if np.max(feature) >= width:
        raise ValueError("a tree reads a feature that is not there")
    cdef float[:, ::1] columns = np.zeros((width, BLOCK), dtype=np.float32)
    for first in range(0, n_lines, BLOCK):
        count = min(BLOCK, n_lines - first)
        for i in range(count):
            for column in range(width):
                columns[column, i] = features[first + i, column]
        for tree in range(n_trees):
            question = tree % n_questions
            find_leaves(leaves, &columns[0, 0], &feature[tree, 0], &threshold[tree, 0], &out[tree, 0])
            for i in range(count):
                totals[first + i, question] += value[tree, first_leaf(leaves[i])]
    return totals_array
