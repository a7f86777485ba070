"""Texts: how they are cut and charged, personal fields, and message elements."""

from __future__ import annotations

from . import elements
from .segments import Encoding, Segmentation, segments, split
from .template import Template

__all__ = ["Encoding", "Segmentation", "Template", "elements", "segments", "split"]
