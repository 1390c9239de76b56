"""Images and cubes as tables of the pixels that are not 0, which gammapy writes on request.

The table has the columns ``PIX`` and ``VALUE``, and ``CHANNEL`` where there are axes; its
header has the projection, and the sizes in ``WCSSHAPE``, those of the pixels first.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

COLUMNS = ("PIX", "VALUE")
TABLE_KEYS = ("TTYPE", "TFORM", "TUNIT", "TDIM", "TFIELDS", "PCOUNT", "GCOUNT", "XTENSION")


def is_sparse_image(hdu: Any) -> bool:
    """Whether an extension is the table of an image in a projection."""
    names = getattr(getattr(hdu, "columns", None), "names", ())
    return all(name in names for name in COLUMNS) and "CTYPE1" in hdu.header


def dense_image(hdu: Any, where: str) -> Any:
    """The image of a table, with 0 in the pixels that are not listed.

    Raises
    ------
    ValueError
        If the header has no sizes, or a row lies beyond them.
    """
    from astropy.io import fits

    text = str(hdu.header.get("WCSSHAPE", ""))
    sizes = [int(number) for number in re.findall(r"\d+", text)]
    if len(sizes) < 2 or not all(sizes):
        raise ValueError(f"{where}: WCSSHAPE is {text!r}, expected the sizes of the map")
    shape = tuple(reversed(sizes))
    pixels = np.asarray(hdu.data["PIX"], dtype=np.int64)
    rows = np.zeros_like(pixels)
    if "CHANNEL" in hdu.columns.names:
        rows = np.asarray(hdu.data["CHANNEL"], dtype=np.int64)
    values = np.asarray(hdu.data["VALUE"])
    data = np.zeros((int(np.prod(shape[:-2], dtype=int)), shape[-2] * shape[-1]), values.dtype)
    for name, numbers, size in (("CHANNEL", rows, len(data)), ("PIX", pixels, data.shape[1])):
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < size):
            raise ValueError(
                f"{where}: {name} goes from {numbers.min()} to {numbers.max()}, and the map "
                f"has {size}"
            )
    data[rows, pixels] = values
    header = hdu.header.copy()
    for key in list(header):
        if key.startswith(TABLE_KEYS):
            header.remove(key, ignore_missing=True, remove_all=True)
    return fits.ImageHDU(data.reshape(shape), header, name=hdu.name)
