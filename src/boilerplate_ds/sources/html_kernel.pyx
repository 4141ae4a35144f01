# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=False
"""The reader of HTML, compiled; :mod:`boilerplate_ds.sources.html` is its definition."""


def count_tags(str page not None) -> int:
    """Count what may be the start of a tag."""
    cdef Py_ssize_t n = 0
    cdef Py_UCS4 character
    for character in page:
        n += character == u"<"
    return n
