"""Check that gammapy reads the maps that gammajax writes.

Run by hand, twice: ``python tests/peer/check_maps.py write FOLDER`` where gammajax is
installed, and ``... compare FOLDER`` where gammapy 2.1 is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

PROJECTIONS = ("CAR", "TAN", "AIT")


def write(folder: Path) -> None:
    from gammajax.maps import LabelMapAxis, Map, MapAxis, TimeMapAxis

    axes = {
        "energy": [MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", 2)],
        "nodes": [MapAxis.from_nodes([0.1, 1, 10], name="energy_true")],
        "time": [TimeMapAxis([0, 2], [1, 3], (59000, 0.25), unit="h")],
        "label": [LabelMapAxis(["a", "b"], "dataset")],
        "image": [],
    }
    numbers = {}
    for name, chosen in axes.items():
        for proj in PROJECTIONS:
            found = Map.create(npix=(4, 3), skydir=(83, 22), proj=proj, axes=chosen, unit="s")
            values = np.arange(found.data.size).reshape(found.data.shape) + 0.5
            file = f"{name}-{proj}.fits"
            found.with_data(values).write(folder / file, overwrite=True)
            coords = found.geom.get_image_coord()
            numbers[file] = {
                "shape": values.shape,
                "lon": coords["lon"].tolist(),
                "lat": coords["lat"].tolist(),
                "centers": [axis.center.tolist() for axis in chosen],
            }
    (folder / "numbers.json").write_text(json.dumps(numbers))


def compare(folder: Path) -> None:
    from gammapy.maps import Map

    numbers = json.loads((folder / "numbers.json").read_text())
    for file, expected in numbers.items():
        found = Map.read(folder / file)
        values = np.arange(found.data.size).reshape(expected["shape"]) + 0.5
        np.testing.assert_array_equal(found.data, values)
        assert str(found.unit) == "s", file
        coords = found.geom.to_image().get_coord()
        for name in ("lon", "lat"):
            np.testing.assert_allclose(coords[name].value, expected[name], rtol=1e-12)
        for axis, center in zip(found.geom.axes, expected["centers"], strict=True):
            if axis.name == "time":
                shift = (axis.time_mid - axis.reference_time).to_value("h")
                np.testing.assert_allclose(shift, center, atol=1e-9)
            elif axis.name == "dataset":
                assert list(axis.center) == center
            else:
                np.testing.assert_allclose(axis.center.value, center)
    print(f"{len(numbers)} maps agree")


if __name__ == "__main__":
    {"write": write, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
