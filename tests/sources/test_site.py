"""The site of a URL."""

from __future__ import annotations

import pytest

from boilerplate_ds.sources import site_of
from boilerplate_ds.sources.site import stated_site


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
        ("hard::blog.example.org.html", ""),
        ("no url", ""),
        ("https://example.org/a page", "example.org"),
        ("file:///home/a.html", ""),
        ("  ", ""),
        ("", ""),
    ],
)
def test_site_is_the_host_without_www(url: str, site: str) -> None:
    assert site_of(url) == site


@pytest.mark.parametrize(
    ("site", "url", "named"),
    [
        ("www.Same.example", "", "same.example"),
        ("same.example:443", "", "same.example"),
        ("https://same.example/", "", "same.example"),
        ("same.example.", "", "same.example"),
        ("other.example", "https://same.example/1", "other.example"),
        ("", "https://www.same.example/1", "same.example"),
        ("", "no url", ""),
        ("", "", ""),
        ("My Site", "https://same.example/1", "My Site"),
        ("Same.example", "https://same.example/1", "same.example"),
        ("forums.FreeBSD.org", "https://forums.FreeBSD.org/1", "forums.FreeBSD.org"),
    ],
)
def test_a_stated_site_is_the_host_however_it_is_written(site: str, url: str, named: str) -> None:
    assert stated_site(site, url) == named
