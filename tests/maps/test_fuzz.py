"""Damaged headers and bytes: a map, or a `ValueError` that names the file; nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gammajax.maps import Map, MapAxis, TimeMapAxis
from gammajax.maps.io import map_from_hdus, map_hdus

ENERGY = MapAxis.from_energy_edges([1, 10, 100])
NODES = MapAxis.from_nodes([1, 10, 100], name="energy_true")
TIME = TimeMapAxis([0, 2], [1, 3], (59000, 0.25), unit="h")
KINDS = {
    "wcs": ({"npix": (4, 3), "axes": [ENERGY, TIME]}, "gadf"),
    "hpx": ({"map_type": "hpx", "nside": 2, "axes": [ENERGY]}, "gadf"),
    "nsides": ({"map_type": "hpx", "nside": (2, 1), "axes": [ENERGY]}, "gadf"),
    "region": (
        {"map_type": "region", "region": "icrs;circle(1, 2, 3)", "axes": [ENERGY]},
        "gadf",
    ),
    "ccube": ({"npix": (4, 3), "axes": [ENERGY]}, "fgst-ccube"),
    "exposure": (
        {"map_type": "hpx", "nside": 2, "axes": [NODES], "unit": "cm2 s"},
        "fgst-bexpcube",
    ),
}
VALUES = st.one_of(
    st.integers(-3, 2000),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.sampled_from(
        [
            "",
            " ",
            "GLON-TAN",
            "DEC--CAR",
            "NESTED",
            "RING",
            "SPARSE",
            "EXPLICIT",
            "TeV",
            "keV",
            "log",
            "lin",
            "E_MIN,E_MAX",
            "ENERGY",
            "TIME_MIN",
            "DISK(1,2,3)",
            "[1",
            "{}",
            "tt",
        ]
    ),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ .", max_size=10),
)
# The structure of a file is damaged byte by byte, below.
STRUCTURE = (
    "SIMPLE",
    "XTENSION",
    "BITPIX",
    "NAXIS",
    "PCOUNT",
    "GCOUNT",
    "TFIELDS",
    "EXTEND",
    "TFORM",
    "TDIM",
)


@cache
def content(kind: str) -> bytes:
    """A file of a kind of map."""
    options, form = KINDS[kind]
    found = Map.create(**options)
    values = np.random.default_rng(0).random(found.data.shape)
    hdus = map_hdus(found.with_data(values), format=form)
    if not isinstance(hdus[0], fits.PrimaryHDU):
        hdus.insert(0, fits.PrimaryHDU())
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    return buffer.getvalue()


def outcome(read: Callable[[], Map]) -> Map | str:
    """A map, or the text of a ValueError; anything else is raised."""
    try:
        return read()
    except ValueError as error:
        return str(error)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", list(KINDS))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_header(kind: str, data: st.DataObject) -> None:
    with fits.open(io.BytesIO(content(kind)), memmap=False) as hdus:
        for _ in range(data.draw(st.integers(1, 3))):
            header = data.draw(st.sampled_from([hdu.header for hdu in hdus]))
            keys = [key for key in header if key and not key.startswith(STRUCTURE)]
            if not keys:
                continue
            key = data.draw(st.sampled_from(sorted(set(keys))))
            if data.draw(st.booleans()):
                header[key] = data.draw(VALUES)
            else:
                header.remove(key)
        found = outcome(lambda: map_from_hdus(list(hdus), "x.fits"))
        assert isinstance(found, Map) or "x.fits" in found


@pytest.mark.parametrize("kind", list(KINDS))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes(tmp_path, kind: str, data: st.DataObject) -> None:
    damaged = bytearray(content(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.fits"
    path.write_bytes(damaged[: data.draw(st.sampled_from([len(damaged), len(damaged) // 2]))])
    found = outcome(lambda: Map.read(path))
    assert isinstance(found, Map) or "x.fits" in found
