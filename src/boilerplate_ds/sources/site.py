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
        parts = urlsplit(url if "://" in url or url.startswith("//") else f"//{url}")
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # e.g. an unclosed "[" of an IPv6 address, or a port that is no number
        return ""
    return "" if any(map(str.isspace, host)) else host.rstrip(".").removeprefix("www.")


def normal_site(name: str) -> str:
    """Give a host as :func:`site_of` does, so that a site has one name; any other name as it is."""
    return site_of(name) if "." in name and not any(map(str.isspace, name)) else name


def stated_site(site: str, url: str) -> str:
    """Name the site of a labelled page by what its record says: its site, else that of its URL.

    A host that has capitals in its own URL, too, stays as it is written: the folds of the released model were
    dealt by such a name.

    >>> stated_site("www.Example.org:443", ""), stated_site("", "https://example.org/news")
    ('example.org', 'example.org')
    """
    name = normal_site(site)
    if site and name == site.lower() and site in url:
        return site
    return name or site_of(url)
