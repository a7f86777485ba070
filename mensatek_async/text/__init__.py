"""Texts: how they are cut and charged, personal fields, message elements, and replies that opt out."""

from __future__ import annotations

from . import elements
from .opt_out import OPT_OUT_KEYWORDS, opt_out_rule
from .segments import Encoding, Segmentation, segments, split
from .template import Template

__all__ = [
    "OPT_OUT_KEYWORDS",
    "Encoding",
    "Segmentation",
    "Template",
    "elements",
    "opt_out_rule",
    "segments",
    "split",
]
