"""Characters of a str, for the kernels: read without copies, and never outside of it."""

from cpython.unicode cimport PyUnicode_DATA, PyUnicode_KIND, PyUnicode_READ, Py_UNICODE_ISSPACE
from libc.stdint cimport uint8_t, uint16_t, uint32_t

ctypedef fused letters:  # what a page's data are, by its kind: 1, 2 and 4
    uint8_t
    uint16_t
    uint32_t


cdef enum:
    OUTSIDE = 0x110000  # stands before the first character and behind the last


cdef struct Page:
    int kind
    void* data
    Py_ssize_t size


cdef inline Page page_of(str text):
    """Look at a str, which has to be held for as long as the look."""
    cdef Page page
    page.kind, page.data, page.size = PyUnicode_KIND(text), PyUnicode_DATA(text), len(text)
    return page


cdef inline uint32_t char_at(Page page, Py_ssize_t at) noexcept:
    return PyUnicode_READ(page.kind, page.data, at) if 0 <= at < page.size else OUTSIDE


cdef inline bint is_space(uint32_t letter) noexcept:
    """Say what ``str.isspace`` says of a character."""
    if letter < 128:
        return letter == 32 or 9 <= letter <= 13 or 28 <= letter <= 31
    return Py_UNICODE_ISSPACE(letter)
