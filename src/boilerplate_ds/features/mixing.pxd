"""The hash that features share: :func:`boilerplate_ds.features.lines.mix`, for kernels."""

from libc.stdint cimport uint64_t


cdef inline uint64_t mix(uint64_t value) noexcept nogil:
    value ^= value >> 33
    value *= 0xFF51AFD7ED558CCDULL
    value ^= value >> 33
    value *= 0xC4CEB9FE1A85EC53ULL
    return value ^ (value >> 33)
