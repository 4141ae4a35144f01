"""The labelling session in a terminal: the same queue, store and keys as the web page."""

from boilerplate_ds.labeling.terminal.app import LabelApp

__all__ = ["LabelApp"]
