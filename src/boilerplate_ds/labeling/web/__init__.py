"""The labelling page: a small server on top of a :class:`~boilerplate_ds.labeling.session.Session`."""

from boilerplate_ds.labeling.web.access import Access
from boilerplate_ds.labeling.web.app import make_app
from boilerplate_ds.labeling.web.server import serve

__all__ = ["Access", "make_app", "serve"]
