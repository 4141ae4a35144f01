# cython: language_level=3, boundscheck=True, wraparound=False
"""Lines of plain text, cut and put together again: compiled, for :mod:`boilerplate_ds.document`."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from boilerplate_ds.characters cimport Page, char_at, is_space, letters, page_of


def split_lines(str text not None):
    """Cut a text into its non-blank lines and what stands around them."""
    cdef Page page = page_of(text)
    cdef list lines = [], separators = []
    cdef Py_ssize_t start = 0, stop, end = 0
    while start < page.size:
        stop = _end_of_line(page, start)
        if _says_something(page, start, stop):
            separators.append(text[end:start])
            lines.append(text[start:stop])
            end = stop
        start = stop + 1
    separators.append(text[end:])
    return lines, separators


cdef Py_ssize_t _end_of_line(Page page, Py_ssize_t at) noexcept:
    if page.kind == 1:
        return _next_break(<const uint8_t*>page.data, at, page.size)
    if page.kind == 2:
        return _next_break(<const uint16_t*>page.data, at, page.size)
    return _next_break(<const uint32_t*>page.data, at, page.size)


cdef Py_ssize_t _next_break(const letters* text, Py_ssize_t at, Py_ssize_t size) noexcept:
    while at < size and text[at] != c"\n" and text[at] != c"\r":
        at += 1
    return at


cdef bint _says_something(Page page, Py_ssize_t start, Py_ssize_t stop) noexcept:
    """Say whether a line holds more than white space, or a byte order mark alone."""
    cdef Py_ssize_t at = start
    while at < stop and is_space(char_at(page, at)):
        at += 1
    return at < stop and not (stop == start + 1 and char_at(page, start) == 0xFEFF)


def join_kept(tuple lines not None, tuple separators not None, list keep not None):
    """Give the text of the lines to keep, with the longest of the separators where lines are left out."""
    cdef Py_ssize_t i
    cdef list parts = []
    cdef str gap = separators[0], after
    for i in range(len(lines)):
        after = separators[i + 1]
        if keep[i]:
            parts.append(gap)
            parts.append(lines[i])
            gap = after
        elif parts and len(after) > len(gap):
            gap = after
    parts.append(separators[len(separators) - 1] if parts else "")
    return "".join(parts)


def blank_before(separators):
    """Say before which lines a blank line stands: a byte each, 0 or 1."""
    cdef tuple given = tuple(separators)
    cdef Py_ssize_t n = len(given) - 1, i
    cdef bytearray found = bytearray(max(n, 0))
    cdef str separator
    for i in range(n):
        item = given[i]
        separator = item if type(item) is str else "".join((item,))
        if i == 0 or len(separator) > 1:
            found[i] = _line_ends(page_of(separator)) > (i > 0)
    return found


cdef Py_ssize_t _line_ends(Page page) noexcept:
    cdef Py_ssize_t at = 0, found = 0
    while at < page.size:
        at = _end_of_line(page, at)
        if at < page.size:
            found += 1
            if char_at(page, at) == c"\r" and at + 1 < page.size and char_at(page, at + 1) == c"\n":
                at += 1
        at += 1
    return found


def is_indented(lines):
    """Say whether a line may begin with white space."""
    cdef Page page
    for line in lines:
        if type(line) is not str:
            return True
        page = page_of(<str>line)
        if page.size and is_space(char_at(page, 0)):
            return True
    return False


def n_open_ended(lines):
    """Count the lines that end in white space."""
    cdef Page page
    cdef Py_ssize_t n = 0
    for line in lines:
        if type(line) is not str:
            n += line[-1:].isspace()
            continue
        page = page_of(<str>line)
        if page.size and is_space(char_at(page, page.size - 1)):
            n += 1
    return n


def n_characters(lines):
    """Sum the lengths of lines."""
    cdef Py_ssize_t total = 0
    for line in lines:
        total += len(line)
    return total
