"""Int8 weights that do not overflow on processors without VNNI.

Such a processor adds the products of two neighbours in 16 bits, and cuts a sum beyond 32,767 off
in silence (oneDNN, "Nuances of int8 computations"). Rows that are scaled to the whole range, as
CTranslate2 scales them, reach twice that: here a row takes as much as its neighbours allow.
"""

from __future__ import annotations

import numpy as np

LARGEST = 127
"""Largest value of a weight, and of what two neighbours add up to before they are rounded:
255 * (127 + 1) is less than 2^15."""


def quantize_spec(spec) -> None:
    """Turn the weights of a validated CTranslate2 model to int8 in place.

    Args:
        spec: `ModelSpec` in float32, whose repeated weights are aliases already.
    """
    from ctranslate2.specs.model_spec import NumpyVariable, Variable, visit_spec

    def quantize(layer, name, value):
        key = name.rpartition("/")[2]
        # what CTranslate2 quantises has a place for its scale; aliases are strings
        if hasattr(layer, f"{key}_scale") and isinstance(value, Variable):
            weight, scale = quantize_rows(value.numpy())
            setattr(layer, key, NumpyVariable(weight))
            setattr(layer, f"{key}_scale", NumpyVariable(scale))

    visit_spec(spec, quantize)


def quantize_rows(weight):
    """A matrix as `int8 / scale`, with a scale for each row.

    Args:
        weight (ndarray): float32, `(n_rows, n_columns)`.

    Returns:
        tuple: int8 of the same shape; float32 `(n_rows,)`.

    Example: [1, -1] -> [127, -127], scale 127; [1, 1] -> [64, 64], scale 63.5
    """
    padded = np.pad(weight, ((0, 0), (0, weight.shape[1] % 2)))
    pairs = np.abs(padded[:, ::2] + padded[:, 1::2])
    reach = np.maximum(np.abs(weight).max(axis=1), pairs.max(axis=1))
    smallest = LARGEST / np.finfo(np.float32).max  # its scale is still finite
    scale = LARGEST / np.maximum(reach, smallest, where=reach > 0, out=np.full_like(reach, LARGEST))
    scale = scale.astype(np.float32)
    return np.rint(weight * scale[:, None]).astype(np.int8), scale
