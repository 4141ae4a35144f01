"""Any format in, documents out."""

from boilerplate_ds.sources.detect import FORMATS
from boilerplate_ds.sources.reader import read_documents
from boilerplate_ds.sources.site import site_of

__all__ = ["FORMATS", "read_documents", "site_of"]
