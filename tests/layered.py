"""Films of several layers for tests: layers as tables of a case."""

from devices import BETWEEN_METALS, JUNCTION, case

LINEAR = {"law": "linear", "eps_r": 22.0}


def layer(thickness, cells=12, **keys):
    """Table of a layer of a thickness [nm]; other keys as in a case."""
    return {"thickness": thickness * 1e-9, "cells": cells, "grading": 1.0, "permittivity": LINEAR} | keys


def stacked(*layers, text=JUNCTION, **changes):
    """A case whose film has these layers. text : of the case   changes : as of `devices.case`"""
    return case(text, **changes).replace({"device.film": {"layers": list(layers)}})


def between_metals(*layers, **changes):
    """As `stacked` between two equal metals."""
    return stacked(*layers, text=BETWEEN_METALS, **changes)
