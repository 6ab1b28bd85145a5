"""Compact models as files of other programs: one module a target, text in, nothing computed but the text."""
