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
    typedef void find_leaves_of_tree(
        uint32_t *leaves, const float *columns, const uint8_t *feature, const float *threshold, const uint32_t *out);
    #if defined(__GNUC__)
    #define FIND_LEAVES(NAME, BYTES)                                                                        \\
        static void NAME(                                                                                   \\
            uint32_t *leaves, const float *columns, const uint8_t *feature, const float *threshold,         \\
            const uint32_t *out                                                                             \\
        ) {                                                                                                 \\
            typedef float numbers __attribute__((vector_size(BYTES), aligned(4), may_alias));               \\
            typedef uint32_t lanes __attribute__((vector_size(BYTES), aligned(4), may_alias));              \\
            lanes left[128 / BYTES];                                                                        \\
            for (int i = 0; i < 128 / BYTES; i++)                                                           \\
                left[i] = ~(lanes) {0};                                                                     \\
            for (int test = 0; test < 31; test++) {                                                         \\
                const numbers *column = (const numbers *) (columns + 32 * (size_t) feature[test]);          \\
                numbers limit = threshold[test] - (numbers) {0};                                            \\
                lanes bits = out[test] - (lanes) {0};                                                       \\
                for (int i = 0; i < 128 / BYTES; i++)                                                       \\
                    left[i] &= ~(bits & (lanes) (column[i] > limit));                                       \\
            }                                                                                               \\
            for (int i = 0; i < 128 / BYTES; i++)                                                           \\
                ((lanes *) leaves)[i] = left[i];                                                            \\
        }
    FIND_LEAVES(find_leaves, 16)
    #if defined(__x86_64__)
    __attribute__((target("avx2"))) FIND_LEAVES(find_leaves_wide, 32)
    static find_leaves_of_tree *widest(void) {
        return __builtin_cpu_supports("avx2") ? find_leaves_wide : find_leaves;
    }
    #else
    static find_leaves_of_tree *widest(void) { return find_leaves; }
    #endif
    #else
    static void find_leaves(
        uint32_t *leaves, const float *columns, const uint8_t *feature, const float *threshold, const uint32_t *out
    ) {
        for (int first = 0; first < 32; first += 8) {
            uint32_t gone[8] = {0};
            for (int test = 0; test < 31; test++) {
                const float *column = columns + 32 * (size_t) feature[test] + first;
                for (int i = 0; i < 8; i++)
                    gone[i] |= out[test] & (0u - (uint32_t) (column[i] > threshold[test]));
            }
            for (int i = 0; i < 8; i++)
                leaves[first + i] = ~gone[i];
        }
    }
    static find_leaves_of_tree *widest(void) { return find_leaves; }
    #endif
    static find_leaves_of_tree *narrow(void) { return find_leaves; }
    """
    ctypedef void find_leaves_of_tree(
        uint32_t* leaves,
        const float* columns,
        const uint8_t* feature,
        const float* threshold,
        const uint32_t* out,
    ) noexcept nogil
    int first_leaf(uint32_t bits) noexcept nogil
    find_leaves_of_tree* widest() noexcept nogil
    find_leaves_of_tree* narrow() noexcept nogil


def sums(
    const float[:, ::1] features,
    const uint8_t[:, ::1] feature,
    const float[:, ::1] threshold,
    const uint32_t[:, ::1] out,
    const int32_t[:, ::1] value,
    Py_ssize_t n_questions,
    bint by_narrow=False,
):
    """Sum of the leaves that each line comes to, in whole units; int64, shape (n_lines, n_questions).

    ``by_narrow`` is for tests: vectors of the size that every processor has.
    """
    cdef Py_ssize_t n_lines = features.shape[0], width = features.shape[1], n_trees = feature.shape[0]
    cdef Py_ssize_t tree, question, first, i, count, column
    cdef uint32_t[BLOCK] leaves
    cdef find_leaves_of_tree* find_leaves = narrow() if by_narrow else widest()
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
