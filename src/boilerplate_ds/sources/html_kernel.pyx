# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False
# (initializedcheck: every memoryview below is set where its object or the module comes to be)
"""The reader of HTML, compiled: one pass over the page, from tag to tag, lines made on the way.

:mod:`boilerplate_ds.sources.html` is the definition; ``tests/sources/test_html_kernel.py`` holds the two
together. What is rare goes to the definition's own functions: most character references, ``<pre>``, names
that are not plain letters.

A page is read through ``char_at`` alone, which gives ``OUTSIDE`` there. All else that is indexed is a
memoryview, a str or a list, whose bounds are checked. No loop goes back over what it has read, but for the
bounded looks that the definition has too.
"""

cimport cython
from cpython.unicode cimport PyUnicode_FindChar, PyUnicode_FromKindAndData
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t

from boilerplate_ds.characters cimport OUTSIDE, Page, char_at, is_space, page_of

from html.entities import html5

import numpy as np

from boilerplate_ds.errors import SourceError
from boilerplate_ds.sources import html_tags, html_tokens
from boilerplate_ds.sources.html_tags import BLOCK_TAGS, IMPLIED, LINE_ENDS, TAGS
from boilerplate_ds.sources.html_text import PRE_BREAK, plain, shown, split_pre
from boilerplate_ds.sources.html_tree import LOOK, MAX_DEPTH

cdef enum:  # what a tag does to the tree, in the definition's order
    NOTHING
    HTML
    BODY
    END_TAG
    START
    CELL

cdef enum:  # what a tag does to the texts after it, as bits
    ENDS_LINE = 1
    STARTS_LINK = 2
    ENDS_LINK = 4
    STARTS_PRE = 8
    ENDS_PRE = 16
    PICTURE = 32
    CONTROL = 64

cdef enum:  # what is known of a text, as bits
    IN_PRE = 1
    APART = 2  # from the text before it, by a space

cdef enum:  # what is counted between lines, as in the definition
    LINE_END
    PICTURES
    CONTROLS
    PASSED_OVER
    N_COUNTED

cdef enum:  # what an open element is to a tag that looks for one to close
    CLOSED = 1
    BOUND = 2

cdef enum:  # how an element is passed over
    TO_END_TAG = 1
    DRAWING = 2
    RAW = 3

cdef enum:
    NONE = -1
    LONGEST_NAME = 12  # that is looked up: so many of 36 letters and digits fit into 63 bits
    SLOTS = 1024
    LONGEST_REFERENCE = 32


# ---------------------------------------------------------------- the definition's tables, as arrays

def _plans():
    """Give the plans by name and slash: that of names[i] is at 2 * i, that of its end tag behind it."""
    names = sorted({tag.removeprefix("/") for tag in html_tokens.PLANS})
    return names, [html_tokens.PLANS[slash + name] for name in names for slash in ("", "/")]


def _bits(plan):
    """Say what a tag does to the texts after it."""
    name = TAGS[abs(plan.tag)]
    bits = ENDS_LINE if name in LINE_ENDS else 0
    if name in ("a", "td", "th"):
        bits |= STARTS_LINK if plan.tag > 0 and name == "a" else ENDS_LINK
    if name == "pre":
        bits |= STARTS_PRE if plan.tag > 0 else ENDS_PRE
    if plan.tag > 0:
        bits |= (PICTURE if name in html_tags.PICTURES else 0) | (CONTROL if name in html_tags.CONTROLS else 0)
    return bits


def _key(name):
    """Give the number that :func:`_name_key` reads a name as."""
    key = 0
    for letter in name:
        key = key * 37 + int(letter, 36) + 1
    return key


def _slots(names):
    """Place the names in a table of twice ten times their number, each at the first free place from its own."""
    keys = np.zeros(SLOTS, dtype=np.int64)
    owners = np.full(SLOTS, NONE, dtype=np.int32)
    for owner, name in enumerate(names):
        slot = _key(name) & (SLOTS - 1)
        while keys[slot]:
            slot = (slot + 1) & (SLOTS - 1)
        keys[slot], owners[slot] = _key(name), owner
    return keys, owners


def _closings(names, plans):
    """Number the distinct closings; give those of each plan, and what each name is to each closing."""
    unknown = html_tokens.ending("x-unknown")
    distinct = list(dict.fromkeys(closing for plan in plans for closing in (*plan.closes, *unknown)))
    of_plan = np.full((len(plans), 2), NONE, dtype=np.int32)
    for row, plan in enumerate(plans):
        for column, closing in enumerate(plan.closes):
            of_plan[row, column] = distinct.index(closing)
    effect = [
        [CLOSED if name in closes else BOUND if name in bounds else 0 for name in names]
        for closes, bounds in distinct
    ]
    return of_plan, np.array(effect, dtype=np.uint8), distinct.index(unknown[0])


def _implied(names):
    """Give the number of the name that opens by itself between two others."""
    between = np.full((len(names), len(names)), NONE, dtype=np.int32)
    for (name, around), opens in IMPLIED.items():
        between[names.index(name), names.index(around)] = names.index(opens)
    return between


_NAMES, _PLANS = _plans()
_NUMBER_OF = {name: number for number, name in enumerate(_NAMES)}
_OF_PLAN, _EFFECT, _UNKNOWN = _closings(_NAMES, _PLANS)
_KEYS, _OWNERS = _slots(_NAMES)
_PASSED = {
    "title": TO_END_TAG, "select": TO_END_TAG, "svg": DRAWING, **dict.fromkeys(html_tokens.RAW_TAGS, RAW)
}
if (NOTHING, HTML, BODY, END_TAG, START, CELL) != html_tokens.ACTIONS:
    raise ImportError("the kernel numbers the actions of tags in another order")

cdef Py_ssize_t N_NAMES = len(_NAMES)
cdef int[::1] ACTION = np.array([plan.action for plan in _PLANS], dtype=np.int32)
cdef int[::1] TAG = np.array([max(plan.tag, 0) for plan in _PLANS], dtype=np.int32)
cdef int[::1] BITS = np.array([_bits(plan) for plan in _PLANS], dtype=np.int32)
cdef int[:, ::1] CLOSING = _OF_PLAN
cdef uint8_t[:, ::1] EFFECT = _EFFECT
cdef int UNKNOWN_CLOSING = _UNKNOWN
cdef int[:, ::1] BETWEEN = _implied(_NAMES)
cdef int64_t[::1] SLOT_KEY = _KEYS
cdef int[::1] SLOT_NAME = _OWNERS
cdef int[::1] PASSED = np.array([_PASSED.get(name, 0) for name in _NAMES], dtype=np.int32)
cdef uint8_t[::1] ENDS_DRAWING = np.array([name in html_tokens.ENDS_SVG for name in _NAMES], dtype=np.uint8)
cdef uint8_t[::1] IS_BLOCK = np.array([name in BLOCK_TAGS for name in TAGS], dtype=np.uint8)
cdef int NAME_HTML = _NUMBER_OF["html"], NAME_BODY = _NUMBER_OF["body"]
cdef int NAME_SVG = _NUMBER_OF["svg"], NAME_TITLE = _NUMBER_OF["title"], NAME_META = _NUMBER_OF["meta"]
cdef int DEEPEST = MAX_DEPTH, LOOKS = LOOK, MOST_ATTRIBUTES = html_tokens.MAX_ATTRIBUTES
cdef Py_ssize_t LONGEST_TARGET = html_tokens.MAX_TARGET
cdef tuple TELLING = (*html_tokens.TELLING, *html_tokens.HIDING)
cdef tuple TELLING_UPPER = tuple(name.upper() for name in TELLING)
cdef int[::1] TELLING_SIZE = np.array([len(name) for name in TELLING], dtype=np.int32)
cdef int N_TELLING = len(TELLING), N_JOINED = len(html_tokens.TELLING)
cdef dict REFERENCES = html5


# ---------------------------------------------------------------- characters

cdef inline bint _is_letter(uint32_t letter) noexcept:
    return 97 <= (letter | 32) <= 122


cdef inline bint _ends_name(uint32_t letter) noexcept:
    return letter == c">" or letter == c"/" or is_space(letter)


cdef inline int _digit(uint32_t letter) noexcept:
    """Give the place of an ASCII letter or digit among the 36, counted from 1; 0 for all else."""
    if 48 <= letter <= 57:
        return <int>letter - 47
    return <int>(letter | 32) - 86 if _is_letter(letter) else 0


cdef int _name(Page page, Py_ssize_t start, Py_ssize_t* stop) except -2:
    """Read letters and digits from ``start``: the number of the known name, or NONE; ``stop``: where they end."""
    cdef int64_t key = 0
    cdef Py_ssize_t at = start
    cdef int digit = _digit(char_at(page, at))
    while digit and at - start < LONGEST_NAME:
        key = key * 37 + digit
        at += 1
        digit = _digit(char_at(page, at))
    stop[0] = at
    return NONE if digit else _known(key)


cdef int _known(int64_t key) except -2:
    cdef Py_ssize_t slot = key & (SLOTS - 1), _
    for _ in range(SLOTS):
        if SLOT_KEY[slot] == key:
            return SLOT_NAME[slot]
        if SLOT_KEY[slot] == 0:
            break
        slot = (slot + 1) & (SLOTS - 1)
    return NONE


cdef bint _spells(Page page, Py_ssize_t start, str lower) noexcept:
    """Say whether ``lower``, a name in lower case, stands at ``start`` in any case."""
    cdef Py_ssize_t i
    for i in range(len(lower)):
        if (char_at(page, start + i) | 32) != <uint32_t>lower[i]:
            return False
    return True


cdef bint _starts_tag(Page page, Py_ssize_t at) noexcept:
    if char_at(page, at) != c"<":
        return False
    cdef uint32_t letter = char_at(page, at + 1)
    return _is_letter(letter) or letter == c"/" or letter == c"!" or letter == c"?"


cdef Py_ssize_t _behind_attributes(Page page, Py_ssize_t at) noexcept:
    """Give where a tag ends: at its ``>``, or behind the page. Quotes count behind ``=`` only."""
    cdef int n
    cdef uint32_t letter
    for n in range(MOST_ATTRIBUTES + 1):
        letter = char_at(page, at)
        while letter != c">" and letter != c"=" and letter != OUTSIDE:
            at += 1
            letter = char_at(page, at)
        if letter != c"=":
            return at
        if n < MOST_ATTRIBUTES:
            at = _behind_quotes(page, at + 1, page.size)
    return _first(page, c">", at, page.size)


cdef Py_ssize_t _behind_quotes(Page page, Py_ssize_t start, Py_ssize_t stop) noexcept:
    """Give where a quoted value ends that stands behind spaces; ``start`` if none does."""
    cdef Py_ssize_t at = _behind_spaces(page, start, stop), end
    cdef uint32_t quote = char_at(page, at)
    if at < stop and (quote == c'"' or quote == c"'"):
        end = _first(page, quote, at + 1, stop)
        if end < stop:
            return end + 1
    return start


cdef inline Py_ssize_t _behind_spaces(Page page, Py_ssize_t at, Py_ssize_t stop) noexcept:
    while at < stop and is_space(char_at(page, at)):
        at += 1
    return at


cdef inline Py_ssize_t _first(Page page, uint32_t letter, Py_ssize_t at, Py_ssize_t stop) noexcept:
    """Give where ``letter`` first stands, or ``stop``; for short ways."""
    while at < stop and char_at(page, at) != letter:
        at += 1
    return at


# ---------------------------------------------------------------- numbers

@cython.final
cdef class Column:
    """Numbers that become more."""

    cdef int32_t[::1] values
    cdef Py_ssize_t n

    def __cinit__(self):
        self.values = np.empty(256, dtype=np.int32)

    cdef int append(self, int32_t value) except -1:
        if self.n == self.values.shape[0]:
            self.grow()
        self.values[self.n] = value
        self.n += 1
        return 0

    cdef int grow(self) except -1:
        grown = np.empty(2 * self.n, dtype=np.int32)
        grown[: self.n] = self.values
        self.values = grown
        return 0

    cdef object array(self):
        return np.array(self.values[: self.n])


# ---------------------------------------------------------------- a page

@cython.final
cdef class Reader:
    """One page on its way from tags to lines.

    ``elements``: those of the tree, in document order, by their parents, start tags and tags.
    ``names``, ``stack``: the open elements. ``text_...``: the texts since the last end of a line.
    """

    cdef str html
    cdef Page page
    cdef Py_ssize_t most_elements
    cdef list told  # the tags that tell of the page: title and meta

    cdef Column parent, start, stop, tag
    cdef int[::1] names, stack
    cdef Py_ssize_t depth
    cdef int holder
    cdef bint seen_html, seen_body
    cdef dict unknown_names

    cdef Column text_start, text_stop, text_bits, text_link
    cdef bint shows, in_pre, any_pre
    cdef int link  # the element of the link that texts stand in, or NONE
    cdef bint after_link, new_link  # of the text before: was it in a link; has another link started since
    cdef int[::1] counted
    # of the first text
    cdef int text_holder
    cdef int[::1] text_counted

    cdef list lines
    cdef Column line_holder, line_size, line_linked, line_link, line_counted
    cdef uint32_t[::1] line
    cdef Py_ssize_t line_n
    cdef bint gap  # spaces stand before the next character of the line

    cdef Column value_start, value_stop
    cdef dict attributes

    def __cinit__(self, str html not None, Py_ssize_t most_elements):
        self.html, self.page, self.most_elements = html, page_of(html), most_elements
        self.told, self.lines, self.unknown_names, self.attributes = [], [], {}, {"": 0}
        self.parent, self.start, self.stop, self.tag = Column(), Column(), Column(), Column()
        self.names, self.stack = np.zeros(DEEPEST + 4, dtype=np.int32), np.zeros(DEEPEST + 4, dtype=np.int32)
        self.text_start, self.text_stop, self.text_bits, self.text_link = Column(), Column(), Column(), Column()
        self.link = NONE
        self.counted, self.text_counted = np.zeros(N_COUNTED, np.int32), np.zeros(N_COUNTED, np.int32)
        self.line_holder, self.line_size, self.line_linked = Column(), Column(), Column()
        self.line_link, self.line_counted = Column(), Column()
        self.line = np.empty(1024, dtype=np.uint32)
        self.value_start, self.value_stop = Column(), Column()
        self.open(NAME_HTML, 0, 0)
        self.holder = self.open(NAME_BODY, 0, 0)

    cdef int read(self) except -1:
        cdef Py_ssize_t at = 0
        while at < self.page.size:
            at = self.read_text(at)
            if at < self.page.size:
                at = self.read_tag(at)
        return self.end_line()

    # ------------------------------------------------------------ texts

    cdef Py_ssize_t read_text(self, Py_ssize_t start) except -1:
        """Take the text up to the next tag; give where that starts."""
        cdef Page page = self.page
        cdef Py_ssize_t at = _behind_spaces(page, start, page.size)
        cdef bint blank = at == page.size or _starts_tag(page, at)
        while at < page.size and not _starts_tag(page, at):
            at += 1
        if at > start:
            self.add_text(start, at, blank)
        return at

    cdef int add_text(self, Py_ssize_t start, Py_ssize_t stop, bint blank) except -1:
        if not self.text_start.n:
            self.text_holder = self.holder
            self.text_counted[:] = self.counted
            self.any_pre = False
        cdef int bits = IN_PRE if self.in_pre else 0
        if self.text_start.n and self.after_link and self.new_link:
            bits |= APART  # two links without a space between them are two words
        self.text_start.append(start)
        self.text_stop.append(stop)
        self.text_bits.append(bits)
        self.text_link.append(self.link)
        self.shows |= not blank
        self.any_pre |= self.in_pre
        self.after_link, self.new_link = self.link != NONE, False
        return 0

    cdef int end_line(self) except -1:
        if self.shows:
            if self.any_pre:
                self.add_preformatted()
            else:
                self.add_line()
        self.shows = False
        self.text_start.n = self.text_stop.n = self.text_bits.n = self.text_link.n = 0
        return 0

    cdef int add_line(self) except -1:
        cdef Py_ssize_t i, size, total = 0, linked = 0
        cdef int link = NONE
        self.line_n, self.gap = 0, False
        for i in range(self.text_start.n):
            self.gap |= (self.text_bits.values[i] & APART) != 0
            size = self.write_text(self.text_start.values[i], self.text_stop.values[i])
            total += size
            if size and self.text_link.values[i] != NONE:
                linked += size
                link = self.text_link.values[i] if link == NONE else link
        if total:
            self.lines.append(self.written())
            self.add_row(total, linked, link)
        return 0

    cdef str written(self):
        return PyUnicode_FromKindAndData(4, &self.line[0], self.line_n) if self.line_n else ""

    cdef int add_row(self, Py_ssize_t total, Py_ssize_t linked, int link) except -1:
        cdef Py_ssize_t i
        self.line_holder.append(self.text_holder)
        self.line_size.append(total)
        self.line_linked.append(linked)
        self.line_link.append(link)
        for i in range(N_COUNTED):
            self.line_counted.append(self.text_counted[i])
        return 0

    cdef int add_preformatted(self) except -1:
        cdef Py_ssize_t i, size, total = 0, linked = 0
        cdef int link = NONE
        cdef list parts = [], lines
        for i in range(self.text_start.n):
            text = shown(self.html[self.text_start.values[i] : self.text_stop.values[i]])
            if self.text_bits.values[i] & IN_PRE:
                text = text.replace("\n", PRE_BREAK)
            if self.text_bits.values[i] & APART:
                parts.append(" ")
            parts.append(text)
            size = len(text.strip())
            total += size
            if size and self.text_link.values[i] != NONE:
                linked += size
                link = self.text_link.values[i] if link == NONE else link
        raw = "".join(parts)
        if total:
            lines = split_pre(raw) if PRE_BREAK in raw else [" ".join(raw.split())]
            self.lines += lines
            for _ in lines:
                self.add_row(total, linked, link)
        return 0

    cdef Py_ssize_t write_text(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Write a text to the line; give its size without the spaces around it."""
        cdef Py_ssize_t size = self.write(self.page, start, stop, True)
        if size == NONE:
            text = shown(self.html[start:stop])
            size = self.write(page_of(text), 0, len(text), False)
        return size

    cdef Py_ssize_t write(self, Page page, Py_ssize_t start, Py_ssize_t stop, bint raw) except -2:
        """Write characters to the line, or give NONE if they are ``raw`` and stand for others."""
        cdef Py_ssize_t at = start, n = self.line_n, place = 0, first = NONE, last = NONE
        cdef uint32_t letter
        cdef bint gap = self.gap
        cdef uint32_t[::1] line = self.room(stop - start + 1)
        while at < stop:
            letter = char_at(page, at)
            at += 1
            if raw and (letter == c"&" or letter == 0 or 0xD800 <= letter <= 0xDFFF):
                letter = self.reference(&at, stop) if letter == c"&" else OUTSIDE
                if letter == OUTSIDE:
                    return NONE
            if is_space(letter):
                gap = True
            else:
                if gap and n:
                    line[n] = c" "
                    n += 1
                gap = False
                line[n] = letter
                n += 1
                last = place
                if first == NONE:
                    first = place
            place += 1
        self.line_n, self.gap = n, gap
        return 0 if first == NONE else last - first + 1

    cdef uint32_t[::1] room(self, Py_ssize_t n):
        """Give the line, with room for ``n`` characters more."""
        if self.line_n + n > self.line.shape[0]:
            grown = np.empty(2 * (self.line_n + n), dtype=np.uint32)
            grown[: self.line_n] = self.line[: self.line_n]
            self.line = grown
        return self.line

    cdef uint32_t reference(self, Py_ssize_t* after, Py_ssize_t stop) except? 0x110001:
        """Read what stands behind ``&`` if it is common: a name or a plain number, and a semicolon."""
        cdef Py_ssize_t start = after[0], at = start
        cdef bint is_number = char_at(self.page, at) == c"#"
        cdef uint32_t letter
        cdef long number = 0
        letter = char_at(self.page, at)
        if at == stop or letter == c";" or letter == c" " or letter == c"\n":
            return c"&"
        at += is_number
        while at < stop and at - start < (7 if is_number else LONGEST_REFERENCE):
            letter = char_at(self.page, at)
            if not (48 <= letter <= 57 if is_number else _digit(letter)):
                break
            number = number * 10 + <long>letter - 48 if is_number else 0
            at += 1
        if at == stop or char_at(self.page, at) != c";":
            return OUTSIDE
        after[0] = at + 1
        if is_number:  # others are controls or stand for another character
            return number if 32 <= number < 127 or 160 <= number < 0xD800 else OUTSIDE
        meant = REFERENCES.get(self.html[start : at + 1])
        return ord(meant) if meant is not None and len(meant) == 1 else OUTSIDE

    # ------------------------------------------------------------ tags

    cdef Py_ssize_t read_tag(self, Py_ssize_t at) except -1:
        """Read the tag, comment or skipped element at ``char_at``; give where it ends."""
        cdef uint32_t letter = char_at(self.page, at + 1)
        if _is_letter(letter):
            return self.read_name(at + 1, False)
        if letter == c"/" and _is_letter(char_at(self.page, at + 2)):
            return self.read_name(at + 1, True)
        self.counted[PASSED_OVER] += 1
        if letter == c"!" and char_at(self.page, at + 2) == c"-" and char_at(self.page, at + 3) == c"-":
            return self.behind_comment(at + 4)
        return self.behind(c">", at + 1)

    cdef Py_ssize_t read_name(self, Py_ssize_t start, bint is_end) except -1:
        """Read a tag from its name, or the slash before it, on."""
        cdef Py_ssize_t behind_name, stop
        cdef int name = _name(self.page, start + is_end, &behind_name)
        cdef uint32_t letter = char_at(self.page, behind_name)
        if not _ends_name(letter) and letter != OUTSIDE:
            name, behind_name = NONE, start + is_end
        elif name != NONE and not is_end and PASSED[name] and letter != OUTSIDE:
            return self.pass_over(name, start, behind_name)
        stop = _behind_attributes(self.page, behind_name)
        if name == NONE:
            name = self.number_of_name(start, stop)
        self.apply(name, start, stop, is_end)
        return min(stop + 1, self.page.size)

    cdef int number_of_name(self, Py_ssize_t start, Py_ssize_t stop) except -2:
        """Number a name that is not known, or not written in plain letters."""
        cdef Py_ssize_t behind = start + 1
        while behind < stop and not _ends_name(char_at(self.page, behind)):
            behind += 1
        name = self.html[start:behind].lower().removeprefix("/")
        number = _NUMBER_OF.get(name)
        if number is None:
            number = self.unknown_names.setdefault(name, N_NAMES + len(self.unknown_names))
        return number

    cdef int apply(self, int name, Py_ssize_t start, Py_ssize_t stop, bint is_end) except -1:
        """Let a tag do what it does to lines, texts and tree."""
        cdef int plan = 2 * name + is_end
        cdef bint known = name < N_NAMES
        cdef int action = ACTION[plan] if known else END_TAG if is_end else START
        if known:
            self.mark(BITS[plan])
            if (name == NAME_META or name == NAME_TITLE) and not is_end:
                self.told.append(self.html[start:stop])
        if action == END_TAG:
            self.end_element(name, plan if known else NONE)
        elif action == START or action == CELL:
            self.start_element(name, start, stop, plan if known else NONE, action)
            if known and BITS[plan] & STARTS_LINK:
                self.link, self.new_link = self.holder, True
        elif action == HTML and not self.seen_html:
            self.seen_html = True
            self.begin_again(0, start, stop)
        elif action == BODY and not self.seen_body:
            self.seen_body = True
            self.begin_again(1, start, stop)
        return 0

    cdef int mark(self, int bits) except -1:
        """Note what a tag does to the texts after it."""
        if bits & ENDS_LINE:
            self.end_line()
            self.counted[LINE_END] += 1
        if bits & ENDS_LINK:
            self.link = NONE
        if bits & (STARTS_PRE | ENDS_PRE):
            self.in_pre = (bits & STARTS_PRE) != 0
        if bits & PICTURE:
            self.counted[PICTURES] += 1
        if bits & CONTROL:
            self.counted[CONTROLS] += 1
        return 0

    # ------------------------------------------------------------ what is passed over

    cdef Py_ssize_t find(self, uint32_t letter, Py_ssize_t at) except -1:
        """Give where ``letter`` first stands, or the page's end; for long ways."""
        cdef Py_ssize_t found = PyUnicode_FindChar(self.html, letter, at, self.page.size, 1)
        return found if found >= 0 else self.page.size

    cdef Py_ssize_t behind(self, uint32_t letter, Py_ssize_t at) except -1:
        return min(self.find(letter, at) + 1, self.page.size)

    cdef Py_ssize_t behind_comment(self, Py_ssize_t at) except -1:
        """Give where a comment ends: behind the first ``>`` after ``--`` or ``--!``."""
        cdef Py_ssize_t dash
        while True:
            at = self.find(c">", at)
            if at == self.page.size:
                return at
            dash = at - 2 if char_at(self.page, at - 1) == c"!" else at - 1
            if char_at(self.page, dash) == c"-" and char_at(self.page, dash - 1) == c"-":
                return at + 1
            at += 1

    cdef Py_ssize_t pass_over(self, int name, Py_ssize_t start, Py_ssize_t behind_name) except -1:
        """Read an element that is not looked into; give where it ends."""
        cdef Py_ssize_t at = self.behind(c">", behind_name), stop
        cdef int kind = PASSED[name]
        if kind == DRAWING:
            stop = self.behind_drawing(at)
            if self.html.find("<title", start, stop) >= 0:
                name = NAME_TITLE  # the title of a drawing stands apart from the text around it
        else:
            stop = self.end_of(_NAMES[name], at)
        if kind == RAW:
            self.counted[PASSED_OVER] += 1
            return self.behind(c">", stop)
        self.mark(BITS[2 * name])
        if kind == TO_END_TAG and name == NAME_TITLE:
            self.told.append(self.html[start:stop])
        return stop + (char_at(self.page, stop) == c">")

    cdef Py_ssize_t end_of(self, str name, Py_ssize_t at) except -1:
        """Give where the end tag of a name starts."""
        while True:
            at = self.find(c"<", at)
            if at == self.page.size or (char_at(self.page, at + 1) == c"/" and _spells(self.page, at + 2, name)):
                return at
            at += 1

    cdef Py_ssize_t behind_drawing(self, Py_ssize_t at) except -1:
        """Give where an ``<svg>`` ends whose start tag ends at ``char_at``."""
        cdef Py_ssize_t behind
        cdef int name
        cdef bint is_end
        if char_at(self.page, at - 1) == c">" and char_at(self.page, at - 2) == c"/":
            return at
        while True:
            at = self.find(c"<", at)
            if at == self.page.size:
                return at
            is_end = char_at(self.page, at + 1) == c"/"
            if is_end and _spells(self.page, at + 2, "svg"):
                return self.behind(c">", at)
            name = _name(self.page, at + 1 + is_end, &behind)
            if name != NONE and ENDS_DRAWING[name] and _ends_name(char_at(self.page, behind)):
                return at
            at += 1

    # ------------------------------------------------------------ the tree

    cdef int open(self, int name, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Add an element inside the innermost open one; give its number."""
        cdef int element = self.parent.n
        if element >= self.most_elements:
            raise SourceError(f"HTML of more than {self.most_elements:,} elements")
        self.parent.append(self.stack[self.depth - 1] if self.depth else 0)
        self.start.append(start)
        self.stop.append(stop)
        self.tag.append(TAG[2 * name] if name < N_NAMES else 0)
        self.names[self.depth], self.stack[self.depth] = name, element
        self.depth += 1
        return element

    cdef int start_element(
        self, int name, Py_ssize_t start, Py_ssize_t stop, int plan, int action
    ) except -1:
        cdef int i, closing, implied, top
        for i in range(2 if plan != NONE else 0):
            closing = CLOSING[plan, i]
            top = self.names[self.depth - 1]
            if closing != NONE and not (top < N_NAMES and EFFECT[closing, top] == BOUND):
                self.close(closing, NONE)
        while action == CELL:
            top = self.names[self.depth - 1]
            implied = BETWEEN[name, top] if top < N_NAMES else NONE
            if implied == NONE:
                break
            self.open(implied, 0, 0)
        self.depth = min(self.depth, DEEPEST - 1)  # elements nested deeper become neighbours
        self.holder = self.open(name, start, stop)
        return 0

    cdef int end_element(self, int name, int plan) except -1:
        if self.names[self.depth - 1] == name:
            self.depth -= 1
        elif plan == NONE:
            self.close(UNKNOWN_CLOSING, name)
        else:  # an end tag has one
            self.close(CLOSING[plan, 0], NONE)
        self.holder = self.stack[self.depth - 1]
        return 0

    cdef int close(self, int closing, int unknown) except -1:
        """Close the nearest of the elements that a tag closes, and all that is open inside it."""
        cdef Py_ssize_t depth
        cdef int name
        for depth in range(self.depth - 1, max(1, self.depth - 1 - LOOKS), -1):
            name = self.names[depth]
            if name == unknown or (name < N_NAMES and EFFECT[closing, name] == CLOSED):
                self.depth = depth
                break
            if name < N_NAMES and EFFECT[closing, name] == BOUND:
                break
        return 0

    cdef int begin_again(self, int element, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Give ``<html>`` or ``<body>`` the tag that it has after all."""
        self.start.values[element], self.stop.values[element] = start, stop
        self.depth, self.holder = 2, 1
        return 0

    # ------------------------------------------------------------ attributes

    cdef int said(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Read the telling attributes of a start tag: twice their number, plus 1 if they hide the element."""
        cdef Py_ssize_t i
        cdef str joined = "", value
        if not self.find_values(start, stop):
            return 0
        for i in range(N_JOINED):
            value = self.value(i)
            if value:
                joined = joined + " " + value if joined else value
        return 2 * <int>self.attributes.setdefault(joined, len(self.attributes)) + self.hides()

    cdef bint hides(self) except -1:
        """Say whether ``hidden``, ``aria-hidden`` or ``style`` hide the element."""
        if self.value_start.values[N_JOINED] != NONE or self.value(N_JOINED + 1) == "true":
            return True
        style = self.value(N_JOINED + 2)
        return style is not None and ("display:none" in style or "display: none" in style)

    cdef str value(self, Py_ssize_t i):
        """Give the value of one of the telling attributes, None if it is not given."""
        if self.value_start.values[i] == NONE:
            return None
        return self.unquoted(self.value_start.values[i], self.value_stop.values[i])

    cdef str unquoted(self, Py_ssize_t start, Py_ssize_t stop):
        if start < stop and (char_at(self.page, start) == c'"' or char_at(self.page, start) == c"'"):
            start, stop = start + 1, max(start + 1, stop - 1)
        text = self.html[start:stop]
        return plain(text) if "&" in text else text

    cdef bint find_values(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Note where the values of the telling attributes stand, of doubles the first; say if there are any."""
        cdef Page page = self.page
        cdef Py_ssize_t at = start, name, behind_name, value
        cdef int telling
        cdef bint given = False
        while at < stop:
            if char_at(page, at) == c"=" or is_space(char_at(page, at)):
                at += 1
                continue
            name = at
            at = behind_name = _behind_word(page, at, stop)
            value = at = _behind_spaces(page, at, stop)
            if at < stop and char_at(page, at) == c"=":
                value = _behind_spaces(page, at + 1, stop)
                at = _behind_value(page, value, stop)
            telling = _telling(page, name, behind_name)
            if telling != NONE:
                if not given:
                    self.forget_values()
                    given = True
                if self.value_start.values[telling] == NONE:
                    self.value_start.values[telling], self.value_stop.values[telling] = value, at
        return given

    cdef int forget_values(self) except -1:
        cdef Py_ssize_t i
        for i in range(N_TELLING):
            self.value_start.values[i] = NONE
        return 0

    cdef str target(self, Py_ssize_t start, Py_ssize_t stop):
        """Give the start of what the start tag of a link leads to, empty if it says nothing of that."""
        cdef Page page = self.page
        cdef Py_ssize_t at, value
        for at in range(start, stop - 4):
            if is_space(char_at(page, at)) and (_is_named(page, at + 1, "href") or _is_named(page, at + 1, "HREF")):
                value = _behind_spaces(page, at + 5, stop)
                if value < stop and char_at(page, value) == c"=":
                    value = _behind_spaces(page, value + 1, stop)
                    return self.unquoted(value, _behind_value(page, value, stop))[:LONGEST_TARGET]
        return ""

    # ------------------------------------------------------------ the result

    cdef dict columns(self):
        """Give the arrays of ``Markup``, of the elements that hold a line or one that does."""
        cdef Py_ssize_t element, own, n = 0
        cdef int said
        cdef uint8_t[::1] kept = self.kept()
        cdef Py_ssize_t n_kept = np.count_nonzero(kept)
        cdef int[::1] place = np.empty(self.parent.n, dtype=np.int32)
        parent, tag = np.empty(n_kept, dtype=np.int32), np.empty(n_kept, dtype=np.int16)
        attribute, hidden = np.empty(n_kept, dtype=np.int32), np.empty(n_kept, dtype=np.uint8)
        block = np.empty(n_kept, dtype=np.int32)
        cdef int[::1] parents = parent, attributes = attribute, blocks = block
        cdef int16_t[::1] tags = tag
        cdef uint8_t[::1] hides = hidden
        for element in range(self.parent.n):
            if kept[element]:
                place[element] = n
                parents[n] = place[self.parent.values[element]]
                tags[n] = self.tag.values[element]
                said = self.said(self.start.values[element], self.stop.values[element])
                attributes[n], hides[n] = said >> 1, said & 1
                blocks[n] = n if IS_BLOCK[tags[n]] else blocks[parents[n]]
                n += 1
        link, links = self.links()
        held = np.asarray(place)[self.line_holder.array()]
        share = self.line_linked.array() / np.maximum(self.line_size.array(), 1)
        return {
            "element": held,
            "block": block[held],
            "link_share": share.astype(np.float32),
            "parent": parent,
            "tag": tag,
            "attribute": attribute,
            "attributes": tuple(self.attributes),
            "hidden": hidden.view(bool),
            "link": link,
            "links": links,
            "between": np.diff(self.line_counted.array().reshape(-1, N_COUNTED), axis=0, prepend=0).astype(np.int32),
        }

    cdef tuple links(self):
        """Number the target of each line's link; give the targets too."""
        cdef dict distinct = {"": 0}
        cdef Py_ssize_t i
        cdef int element, number = 0, read = NONE  # one link may hold many lines: it is read once
        link = np.zeros(self.line_link.n, dtype=np.int32)
        cdef int[::1] numbers = link
        for i in range(self.line_link.n):
            element = self.line_link.values[i]
            if element != NONE and element != read:
                target = self.target(self.start.values[element], self.stop.values[element])
                number, read = distinct.setdefault(target, len(distinct)), element
            if element != NONE:
                numbers[i] = number
        return link, tuple(distinct)

    cdef object kept(self):
        """Mark the root, the elements that hold a line, and all around them."""
        kept = np.zeros(self.parent.n, dtype=np.uint8)
        cdef uint8_t[::1] marks = kept
        cdef Py_ssize_t i
        cdef int element
        marks[0] = True
        for i in range(self.line_holder.n):
            element = self.line_holder.values[i]
            while not marks[element]:
                marks[element] = True
                element = self.parent.values[element]
        return kept


cdef int _telling(Page page, Py_ssize_t start, Py_ssize_t stop) except -2:
    """Give the number of a telling attribute's name, which is in lower or upper case altogether, or NONE."""
    cdef int i
    cdef uint32_t first = char_at(page, start) | 32
    if first == c"c" or first == c"i" or first == c"r" or first == c"a" or first == c"h" or first == c"s":
        for i in range(N_TELLING):
            if TELLING_SIZE[i] == stop - start and (
                _is_named(page, start, TELLING[i]) or _is_named(page, start, TELLING_UPPER[i])
            ):
                return i
    return NONE


cdef bint _is_named(Page page, Py_ssize_t start, str name) except -1:
    cdef Py_ssize_t i
    for i in range(len(name)):
        if char_at(page, start + i) != <uint32_t>name[i]:
            return False
    return True


cdef Py_ssize_t _behind_word(Page page, Py_ssize_t at, Py_ssize_t stop) noexcept:
    """Give where the name of an attribute ends."""
    while at < stop and char_at(page, at) != c"=" and not is_space(char_at(page, at)):
        at += 1
    return at


cdef Py_ssize_t _behind_value(Page page, Py_ssize_t start, Py_ssize_t stop) noexcept:
    """Give where the value ends that starts at ``start``, with its quotes if it has both."""
    cdef uint32_t quote = char_at(page, start)
    cdef Py_ssize_t at = start
    if at < stop and (quote == c'"' or quote == c"'"):
        at = _first(page, quote, start + 1, stop) + 1
        if at <= stop:
            return at
        at = start
    while at < stop and not is_space(char_at(page, at)):
        at += 1
    return at


def read(str html not None, Py_ssize_t most_elements):
    """Read a page.

    Returns
    -------
    lines : list of str
    columns : dict
        The fields of ``Markup``, but for the title.
    told : list of str
        The tags that tell of the page: ``<title>`` and ``<meta>``.

    Raises
    ------
    SourceError
        If there are more than ``most_elements`` elements.
    """
    if len(html) >= 2**31:
        raise SourceError(f"HTML of {len(html):,} characters")
    reader = Reader(html, most_elements)
    reader.read()
    return reader.lines, reader.columns(), reader.told
