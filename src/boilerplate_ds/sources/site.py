"""The site a page belongs to: what splits are made by."""

from __future__ import annotations

from urllib.parse import urlsplit


def site_of(url: str) -> str:
    """Name the site of a URL: its host in lower case, without ``www.``, port and user.

    A URL without a scheme is read as ``//host/path``. Empty where there is no host.

    >>> site_of("https://www.Example.org:8080/news?id=1")
    'example.org'
    """
    url = url.strip()
    try:
        host = urlsplit(url if "://" in url or url.startswith("//") else f"//{url}").hostname
    except ValueError:  # e.g. an unclosed "[" of an IPv6 address
        return ""
    return (host or "").rstrip(".").removeprefix("www.")
