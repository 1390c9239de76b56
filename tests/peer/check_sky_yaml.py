"""Check that gammapy opens files with our spatial, temporal and background models.

Run by hand, twice: ``python tests/peer/check_sky_yaml.py write FOLDER`` where gammajax is
installed, then ``python tests/peer/check_sky_yaml.py compare FOLDER`` where gammapy 2.1 is
(both with ``GAMMAPY_DATA`` set, for curves and a template).
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path


def write(folder: Path) -> None:
    import numpy as np

    from gammajax.maps import Map, MapAxis
    from gammajax.models import (
        SPATIAL_MODELS,
        TEMPORAL_MODELS,
        FoVBackgroundModel,
        LightCurveTemplateTemporalModel,
        Models,
        PiecewiseNormSpatialModel,
        PowerLawSpectralModel,
        SkyModel,
        TemplateNPredModel,
        TemplatePhaseCurveTemporalModel,
        TemplateSpatialModel,
        create_fermi_diffuse_model,
    )

    data = Path(os.environ["GAMMAPY_DATA"])
    spectrum = PowerLawSpectralModel()
    # gammapy writes models of a constant flux, and does not read them
    components = [
        SkyModel(spectrum, cls(), name=cls.__name__)
        for cls in SPATIAL_MODELS
        if cls.KIND in ("point", "radial", "uniform") and "Flux" not in cls.__name__
    ]
    components += [
        SkyModel(spectrum, None, cls(scale="tt"), name=cls.__name__)
        for cls in TEMPORAL_MODELS
        if "Template" not in cls.__name__
    ]
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    counts = Map.create(npix=3, binsz=0.1, axes=[energy]) + 1.0
    counts.write(folder / "counts.fits", overwrite=True)
    image = Map.create(npix=4, binsz=0.1, unit="sr-1")
    image = image.with_data(np.ones(image.data.shape))
    image.write(folder / "image.fits", overwrite=True)
    curve = data / "tests/models/light_curve/lightcrv_PKSB1222+216.fits"
    phases = data / "tests/phasecurve_LSI_DC.fits"
    norms = PiecewiseNormSpatialModel([0, 1, 1, 0], [0, 0, 1, 1], [1, 1.2, 0.9, 1.1])
    components += [
        FoVBackgroundModel(datasets_names="a"),
        FoVBackgroundModel(spatial_model=norms, datasets_names="b"),
        TemplateNPredModel(counts, name="counts", filename=folder / "counts.fits"),
        SkyModel(spectrum, TemplateSpatialModel.read(folder / "image.fits"), name="image"),
        create_fermi_diffuse_model(data / "fermi-3fhl-gc/gll_iem_v06_gc.fits.gz", name="iem"),
        SkyModel(spectrum, None, LightCurveTemplateTemporalModel.read(curve), name="curve"),
        SkyModel(spectrum, None, TemplatePhaseCurveTemporalModel.read(phases), name="phase"),
    ]
    models = Models(components)
    models.write(folder / "sky.yaml", overwrite=True)
    rows = [[r.name, r.value, r.unit, r.frozen] for r in models.parameters]
    (folder / "sky.json").write_text(json.dumps(rows), encoding="utf-8")


def compare(folder: Path) -> None:
    import astropy.units as u
    from gammapy.modeling.models import Models

    models = Models.read(folder / "sky.yaml")
    found = {
        f"{model.name}.{name}": par
        for model in models
        for name, par in zip(model.parameters_unique_names, model.parameters, strict=True)
    }
    rows = json.loads((folder / "sky.json").read_text(encoding="utf-8"))
    missing = [row[0] for row in rows if row[0] not in found]
    assert not missing, missing
    for name, value, unit, frozen in rows:
        par = found[name]
        assert par.unit == u.Unit(unit), name
        # gammapy converts the light curve's reference to UTC whatever its scale
        slack = 1e-3 if name == "curve.temporal.t_ref" else 1e-12
        assert math.isclose(par.value, value, rel_tol=slack, abs_tol=slack), (name, par.value)
        assert bool(par.frozen) == frozen, name
    print(f"{len(rows)} parameters of {len(models)} components agree")


if __name__ == "__main__":
    {"write": write, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
