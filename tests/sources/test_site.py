"""The site of a URL."""

from __future__ import annotations

import pytest

from boilerplate_ds.sources import site_of


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.Example.org:8080/a?b#c", "example.org"),
        ("http://user:secret@news.example.co.uk/", "news.example.co.uk"),
        ("//www.example.org/a", "example.org"),
        ("example.org/a", "example.org"),
        ("http://example.org./", "example.org"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("http://müller.de/", "müller.de"),
        ("http://[broken", ""),
        ("file:///home/a.html", ""),
        ("  ", ""),
        ("", ""),
    ],
)
def test_site_is_the_host_without_www(url: str, site: str) -> None:
    assert site_of(url) == site
