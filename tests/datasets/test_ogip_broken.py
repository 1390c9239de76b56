"""OGIP files that are wrong or damaged: each ends in one clear error."""

import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gammajax.datasets import read_ogip, write_ogip
from gammajax.inference import Likelihood
from gammajax.models import Models, PowerLawSpectralModel, SkyModel

FILES = ("x.fits", "x_arf.fits", "x_rmf.fits", "x_bkg.fits")


@pytest.fixture
def folder(on_off, tmp_path):
    write_ogip(on_off(), tmp_path / "x.fits")
    return tmp_path


def column(hdus, extension, name, values=None, unit=None):
    """Replace a column's values or unit; without both, take the column away."""
    old = hdus[extension]
    changed = []
    for item in old.columns:
        form, array, units = item.format, old.data[item.name], item.unit
        if item.name == name:
            if values is None and unit is None:
                continue
            if values is not None:
                form, array = "D", values(array)
            units = units if unit is None else unit
        changed.append(fits.Column(item.name, form, units or None, array=array))
    kept = ("EXPOSURE", "ANCRFILE", "RESPFILE", "BACKFILE", "TLMIN4", "OBS_ID")
    header = {key: old.header[key] for key in kept if key in old.header}
    hdus[extension] = fits.BinTableHDU.from_columns(changed, name=old.name)
    hdus[extension].header.update(header)


def put(place, value):
    def change(values):
        values = np.array(values, dtype=float)
        values[place] = value
        return values

    return change


def header(extension, **values):
    def change(hdus):
        for key, value in values.items():
            if value is None:
                del hdus[extension].header[key]
            else:
                hdus[extension].header[key] = value

    return change


def remove(extension):
    return lambda hdus: hdus.__delitem__(extension)


def rows(extension, count):
    def change(hdus):
        hdus[extension].data = hdus[extension].data[:count]

    return change


CASES = {
    "no SPECTRUM": (
        "x.fits",
        remove("SPECTRUM"),
        r"x\.fits: has no table SPECTRUM \(tables: EB",
    ),
    "no EXPOSURE": ("x.fits", header("SPECTRUM", EXPOSURE=None), "the header has no EXPOSURE"),
    "exposure is 0": (
        "x.fits",
        header("SPECTRUM", EXPOSURE=0.0),
        r"x\.fits\[SPECTRUM\]: EXPOSURE is 0, expected a time above 0",
    ),
    "exposure is negative": (
        "x.fits",
        header("SPECTRUM", EXPOSURE=-5.0),
        r"x\.fits\[SPECTRUM\]: EXPOSURE is -5, expected a time above 0",
    ),
    "exposure is a word": (
        "x.fits",
        header("SPECTRUM", EXPOSURE="long"),
        "EXPOSURE is 'long', ex",
    ),
    "no COUNTS": (
        "x.fits",
        lambda hdus: column(hdus, "SPECTRUM", "COUNTS"),
        r"x\.fits\[SPECTRUM\]: has neither a COUNTS nor a RATE column",
    ),
    "counts are nan": (
        "x.fits",
        lambda hdus: column(hdus, "SPECTRUM", "COUNTS", put(3, np.nan)),
        r"x\.fits\[SPECTRUM\]: COUNTS is nan in row 3, expected 0 or more",
    ),
    "counts are negative": (
        "x_bkg.fits",
        lambda hdus: column(hdus, "SPECTRUM", "COUNTS", put(2, -1)),
        r"x_bkg\.fits\[SPECTRUM\]: COUNTS is -1 in row 2, expected 0 or more",
    ),
    "no response named": (
        "x.fits",
        header("SPECTRUM", ANCRFILE=None, RESPFILE=None),
        "names neither ANCRFILE nor RESPFILE",
    ),
    "response is missing": (
        "x.fits",
        header("SPECTRUM", ANCRFILE="nowhere.fits"),
        r"nowhere\.fits: there is no such file",
    ),
    "no EBOUNDS": ("x_rmf.fits", remove("EBOUNDS"), r"x_rmf\.fits: has no table EBOUNDS"),
    "no MATRIX": ("x_rmf.fits", remove("MATRIX"), "has no table MATRIX or SPECRESP MATRIX"),
    "no area": (
        "x_arf.fits",
        lambda hdus: column(hdus, "SPECRESP", "SPECRESP"),
        r"x_arf\.fits\[SPECRESP\]: has no column SPECRESP \(columns: ENERG_LO, ENERG_HI\)",
    ),
    "wrong unit": (
        "x_arf.fits",
        lambda hdus: column(hdus, "SPECRESP", "SPECRESP", unit="cm"),
        r"column SPECRESP: got the unit 'cm', which does not convert to 'cm2'",
    ),
    "unknown unit": (
        "x_arf.fits",
        lambda hdus: column(hdus, "SPECRESP", "ENERG_LO", unit="parrots"),
        r"column ENERG_LO: 'parrots' is not a unit",
    ),
    "no unit": (
        "x_arf.fits",
        lambda hdus: column(hdus, "SPECRESP", "SPECRESP", unit=""),
        r"column SPECRESP has no unit, expected one that converts to cm2",
    ),
    "area is negative": (
        "x_arf.fits",
        lambda hdus: column(hdus, "SPECRESP", "SPECRESP", put(4, -2.0)),
        r"x_arf\.fits\[SPECRESP\]: the effective area is -2 cm2 in row 4, expected 0 or more",
    ),
    "area is nan": (
        "x_arf.fits",
        lambda hdus: column(hdus, "SPECRESP", "SPECRESP", put(0, np.nan)),
        "the effective area is nan cm2 in row 0",
    ),
    "a gap in energy": (
        "x_arf.fits",
        lambda hdus: column(hdus, "SPECRESP", "ENERG_LO", put(4, 1.7)),
        "columns ENERG_LO and ENERG_HI leave gaps between the bins, or do not increase",
    ),
    "detection at energy 0": (
        "x_both.fits",
        lambda hdus: column(hdus, 1, "ENERG_LO", put(0, 0.0)),
        "the first true energy bin of its response starts at 0, .* and has an effective area",
    ),
    "other true energies": (
        "x_arf.fits",
        rows("SPECRESP", 9),
        r"x\.fits: RMF x_rmf\.fits and ARF x_arf\.fits have different true energies",
    ),
    "other channels": (
        "x.fits",
        rows("SPECTRUM", 5),
        r"x\.fits: 5 channels in SPECTRUM, but 9 in EBOUNDS of x_rmf\.fits",
    ),
    "other channels off": (
        "x_bkg.fits",
        rows("SPECTRUM", 5),
        r"x_bkg\.fits: 5 channels, but 9 in x\.fits",
    ),
    "channels that are none": (
        "x_rmf.fits",
        header("MATRIX", TLMIN4=5),
        r"x_rmf\.fits\[MATRIX\]: row \d+, group 0 fills channels -\d+ to",
    ),
    "a negative probability": (
        "x_rmf.fits",
        lambda hdus: hdus["MATRIX"].data["MATRIX"][6].__setitem__(1, -0.5),
        r"x_rmf\.fits\[MATRIX\]: EDispKernel: entry \[6, \d\] .* is -0\.5, expected",
    ),
    "alpha is negative": (
        "x_bkg.fits",
        lambda hdus: column(hdus, "SPECTRUM", "BACKSCAL", put(1, -1.0)),
        "BACKSCAL has values that are negative or no number",
    ),
    "words for numbers": (
        "x.fits",
        header("SPECTRUM", AREASCAL="much"),
        "AREASCAL is 'much', expected a finite number",
    ),
}


def rewrite(path, how):
    changed = path.with_name("changed.fits")
    with fits.open(path, memmap=False) as hdus:
        how(hdus)
        hdus.writeto(changed)
    changed.replace(path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_error_names_the_file_and_the_fault(case, folder, on_off):
    name, how, message = case
    if name == "x_both.fits":
        dataset = on_off()
        matrix = np.array(dataset.edisp.matrix)
        matrix[0, 0] = 0.5
        write_ogip(dataset.replace(edisp=matrix), folder / "x.fits", overwrite=True)
        rewrite(folder / "x_rmf.fits", lambda hdus: low_edge(hdus["MATRIX"]))
        name = "x_arf.fits"
    rewrite(folder / name, how)
    with pytest.raises(ValueError, match=message) as caught:
        read_ogip(folder / "x.fits")
    assert str(caught.value).startswith(str(folder))
    assert "\n" not in str(caught.value)


def low_edge(hdu):
    hdu.data["ENERG_LO"][0] = 0.0


def test_no_file_and_no_fits(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.fits: there is no such file"):
        read_ogip(tmp_path / "absent.fits")
    with pytest.raises(ValueError, match="there is no such file"):
        read_ogip(tmp_path)
    for name, content in (("empty.fits", b""), ("text.fits", b"hello" * 700)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}: is damaged or no FITS file"):
            read_ogip(tmp_path / name)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.99])
def test_short_files(name, keep, folder):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=rf"{name}(\[\w+\])?: (is damaged|has no table)"):
        read_ogip(folder / "x.fits")


@pytest.mark.parametrize("damage", ["short", "flipped"])
def test_damaged_gzip(damage, folder):
    with open(folder / "x.fits", "rb") as plain, gzip.open(folder / "y.fits.gz", "wb") as file:
        shutil.copyfileobj(plain, file)
    content = bytearray((folder / "y.fits.gz").read_bytes())
    if damage == "short":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 0xFF
    (folder / "y.fits.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"y\.fits\.gz: is damaged or no FITS file"):
        read_ogip(folder / "y.fits.gz")


def test_alpha_of_zero_in_a_fit_bin_is_an_error_of_the_likelihood(folder):
    rewrite(
        folder / "x.fits", lambda hdus: column(hdus, "SPECTRUM", "BACKSCAL", put([1, 4], 0.0))
    )
    dataset = read_ogip(folder / "x.fits")
    models = Models(SkyModel(PowerLawSpectralModel(), name="x"))
    with pytest.raises(ValueError, match=r"'run 7': alpha is 0 in bins? .*4.* \("):
        Likelihood([dataset], models)
    mask = dataset.mask_safe & (dataset.alpha > 0)
    assert Likelihood([dataset.replace(mask_safe=mask)], models).n_bins == mask.sum()


def test_a_start_outside_its_bounds_and_an_empty_range_are_errors(on_off):
    models = Models(SkyModel(PowerLawSpectralModel(), name="x"))
    with pytest.raises(
        ValueError, match=r"x\.spectral\.index: starts at 2, outside its bounds 3"
    ):
        Likelihood([on_off()], models.set("x.spectral.index", min=3))
    with pytest.raises(ValueError, match="no bin of run 7 is left in the fit range; widen it"):
        Likelihood([on_off().with_energy_range("1 PeV", "2 PeV")], models)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), name=st.sampled_from(FILES))
def test_damaged_bytes_give_nothing_but_a_value_error(data, name, folder):
    path = folder / name
    good = path.read_bytes()
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(good) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    size = data.draw(st.just(len(good)) | st.integers(0, len(good)))
    path.write_bytes(bytes(damaged[:size]))
    message = ""
    try:
        read_ogip(folder / "x.fits")
    except ValueError as error:
        message = str(error)
    finally:
        path.write_bytes(good)
    assert message == "" or message.startswith((str(folder), "dataset "))


KEYS = (
    "NAXIS1",
    "NAXIS2",
    "PCOUNT",
    "TFIELDS",
    "TFORM1",
    "TFORM4",
    "TTYPE2",
    "TUNIT1",
    "TNULL1",
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    name=st.sampled_from(FILES),
    key=st.sampled_from(KEYS),
    value=st.integers(-3, 10**10).map(str)
    | st.sampled_from(["'PI(2)'", "'9999D'", "'X'", "''", "T", "1E400", "'TeV'", "garbage"]),
    which=st.integers(0, 1),
)
def test_damaged_headers_give_nothing_but_a_value_error(name, key, value, which, folder):
    path = folder / name
    good = path.read_bytes()
    places = [i for i in range(0, len(good), 80) if good[i : i + 8].strip() == key.encode()]
    if not places:
        return
    place = places[which % len(places)]
    card = f"{key:<8}= {value:>20}".ljust(80)[:80].encode()
    path.write_bytes(good[:place] + card + good[place + 80 :])
    message = ""
    try:
        read_ogip(folder / "x.fits")
    except ValueError as error:
        message = str(error)
    finally:
        path.write_bytes(good)
    assert message == "" or message.startswith((str(folder), "dataset "))
