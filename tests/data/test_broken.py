"""Broken folders: every message names the file, and the extension where there is one."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from gammajax.data import (
    GTI,
    DataStore,
    EventList,
    Observation,
    Pointing,
    PointingTable,
    write_dl3,
)
from gammajax.irf import Background2D, formula_irfs, read_irf

PARTS = ("events", "gti", "pointing", "aeff", "edisp", "psf", "bkg")


def example() -> Observation:
    """A run with all kinds of parts, and tables of few nodes."""
    irfs = formula_irfs(psf="gauss", energy_edges=[0.1, 1.0, 10.0], offset_max=2.0)
    rate = irfs["bkg"].to_2d()
    irfs["bkg"] = Background2D(rate.axes, rate.values)
    gti = GTI([0.0, 100.0], [90.0, 190.0])
    columns = {
        "TIME": [1.0, 2.0],
        "RA": [83.0, 84.0],
        "DEC": [22.0, 21.0],
        "ENERGY": [1.0, 2.0],
    }
    events = EventList({name: np.array(x) for name, x in columns.items()})
    pointing = Pointing(ra=83.6, dec=22.0)
    return Observation.create(1, pointing=pointing, gti=gti, events=events, irfs=irfs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A folder with one run in one file that is not compressed."""
    folder = tmp_path_factory.mktemp("whole")
    run = example()
    write_dl3([run], folder)
    packed = folder / "data" / "run_000001.fits.gz"
    content = gzip.decompress(packed.read_bytes())
    packed.unlink()
    (folder / "data" / "run_000001.fits.gz").write_bytes(content)
    path = folder / "data" / "run_000001.fits.gz"
    with fits.open(path) as hdus:
        table = PointingTable([0.0, 190.0], [83.6, 83.6], [22.0, 22.0]).to_hdu()
        fits.HDUList([*hdus, table]).writeto(folder / "run.fits")
    return folder / "run.fits"


def reader(part: str):
    """How a part is read, given the path."""
    readers = {"events": EventList.read, "gti": GTI.read, "pointing": PointingTable.read}
    return readers.get(part, lambda path: read_irf(path, part))


def changed(whole: Path, folder: Path, part: str, columns=None, **header) -> Path:
    """A copy with other numbers or keywords in one extension."""
    path = folder / "broken.fits"
    with fits.open(whole) as hdus:
        hdu = hdus[part.upper()]
        for name, change in (columns or {}).items():
            values = hdu.data[name]
            change(values if len(values) > 1 else values[0])
        for key, value in header.items():
            if value is None:
                del hdu.header[key]
            else:
                hdu.header[key] = value
        hdus.writeto(path, output_verify="ignore", overwrite=True)
    return path


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("packed", [False, True])
def test_truncated_and_damaged_files(whole, tmp_path, part, packed) -> None:
    path, content = tmp_path / "broken.fits", whole.read_bytes()
    path.write_bytes(content)
    assert reader(part)(path) is not None
    content = gzip.compress(content) if packed else content
    for length in (100, len(content) // 2, len(content) - 100):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"broken\.fits: is damaged or no FITS file"):
            reader(part)(path)
    if packed:
        bad = bytearray(content)
        bad[len(bad) // 2] ^= 0xFF
        path.write_bytes(bytes(bad))
        with pytest.raises(ValueError, match=r"broken\.fits: is damaged"):
            reader(part)(path)


MISSING = [
    ("events", "MJDREFI", "the header has no MJDREFI"),
    ("gti", "MJDREFI", "the header has no MJDREFI"),
    ("pointing", "MJDREFI", "the header has no MJDREFI"),
    ("events", "TTYPE2", "has no column RA"),
    ("gti", "TTYPE1", "has no column START"),
    ("pointing", "TTYPE2", "has no column RA_PNT"),
    ("aeff", "TTYPE5", "has no column EFFAREA"),
    ("edisp", "TTYPE3", "has no column MIGRA_LO"),
    ("psf", "TTYPE6", "has no column SIGMA_1"),
    ("bkg", "TTYPE1", "has no column ENERG_LO"),
]


@pytest.mark.parametrize(("part", "key", "message"), MISSING)
def test_missing_keywords_and_columns(whole, tmp_path, part, key, message) -> None:
    header = {key: "OTHER"} if key.startswith("TTYPE") else {key: None}
    path = changed(whole, tmp_path, part, **header)
    with pytest.raises(ValueError, match=rf"broken\.fits\[{part.upper()}\]: .*{message}"):
        reader(part)(path)


@pytest.mark.parametrize("part", PARTS)
def test_extensions_that_are_not_there_or_of_another_type(whole, tmp_path, part) -> None:
    path = tmp_path / "broken.fits"
    with fits.open(whole) as hdus:
        kept = [hdu for hdu in hdus if hdu.name != part.upper()]
        fits.HDUList(kept).writeto(path)
        with pytest.raises(ValueError, match=rf"broken\.fits: has no table {part.upper()} "):
            reader(part)(path)
        image = fits.ImageHDU(np.ones((2, 2)), name=part.upper())
        fits.HDUList([*kept, image]).writeto(path, overwrite=True)
    with pytest.raises(ValueError, match=rf"broken\.fits: has no table {part.upper()} "):
        reader(part)(path)


@pytest.mark.parametrize(
    ("part", "other", "message"),
    [
        ("aeff", "gti", "HDUCLAS4 is 'missing'"),
        ("psf", "events", "HDUCLAS4 is 'missing'"),
    ],
)
def test_tables_of_another_kind(whole, part, other, message) -> None:
    assert read_irf(whole, part) is not None
    with pytest.raises(ValueError, match=rf"run\.fits\[{other.upper()}\]: .*{message}"):
        read_irf(whole, other)


def place(i: int, value: float):
    """A change of one number of a column."""

    def change(values) -> None:
        np.reshape(values, -1)[i] = value

    return change


NUMBERS = [
    ("aeff", {"EFFAREA": place(2, np.nan)}, "the value at .* is nan"),
    ("aeff", {"EFFAREA": place(2, -1.0)}, "the value at .* is -10000"),
    ("edisp", {"MATRIX": place(5, np.inf)}, "the value at .* is inf"),
    ("psf", {"SIGMA_1": place(0, np.nan)}, "the value at .* is nan"),
    ("bkg", {"BKG": place(1, -3.0)}, "the value at .* is -3e.06"),
    ("aeff", {"ENERG_LO": place(1, 0.01)}, "edges have to increase"),
    ("bkg", {"THETA_HI": place(1, np.nan)}, "an edge is not finite"),
    ("gti", {"START": place(0, 500.0)}, "interval 0 starts at 500.* and stops at 90"),
    ("gti", {"STOP": place(0, 150.0)}, "interval 1 starts at 100.* before interval 0 stops"),
    ("gti", {"STOP": place(1, np.nan)}, "a start or stop is not finite"),
    ("pointing", {"TIME": place(1, -1.0)}, "times have to increase"),
    ("pointing", {"DEC_PNT": place(1, np.nan)}, "dec has values that are not finite"),
]


@pytest.mark.parametrize(("part", "columns", "message"), NUMBERS)
def test_numbers_that_make_no_sense(whole, tmp_path, part, columns, message) -> None:
    path = changed(whole, tmp_path, part, columns)
    with pytest.raises(ValueError, match=rf"broken\.fits\[{part.upper()}\]: .*{message}"):
        reader(part)(path)


UNITS = [
    ("events", {"TUNIT4": "s", "TUNIT1": "TeV"}, "column TIME: got the unit 'TeV'"),
    ("events", {"TUNIT2": "s"}, "column RA: got the unit 's'"),
    ("gti", {"TUNIT1": "deg"}, "column START: got the unit 'deg'"),
    ("pointing", {"TUNIT1": "deg", "TUNIT2": "s"}, "column TIME: got the unit 'deg'"),
    ("aeff", {"TUNIT1": "m2", "TUNIT5": "TeV"}, "column ENERG_LO: got the unit 'm2'"),
    ("aeff", {"TUNIT5": "TeV"}, "column EFFAREA: got the unit 'TeV'"),
    ("edisp", {"TUNIT1": "deg", "TUNIT5": "TeV"}, "column ENERG_LO: got the unit 'deg'"),
    ("psf", {"TUNIT6": "sr-1"}, "column SIGMA_1: got the unit 'sr-1'"),
    ("bkg", {"TUNIT5": "m2"}, "column BKG: got the unit 'm2'"),
    ("bkg", {"TUNIT3": "TeV", "TUNIT1": "deg"}, "column ENERG_LO: got the unit 'deg'"),
]


@pytest.mark.parametrize(("part", "header", "message"), UNITS)
def test_swapped_units(whole, tmp_path, part, header, message) -> None:
    path = changed(whole, tmp_path, part, **header)
    with pytest.raises(ValueError, match=rf"broken\.fits\[{part.upper()}\]: .*{message}"):
        reader(part)(path)


KEYS = ["TUNIT1", "TUNIT3", "TTYPE1", "TTYPE2", "TFORM1", "TDIM5", "MJDREFI", "MJDREFF",
        "TIMESYS", "HDUCLAS2", "HDUCLAS3", "HDUCLAS4", "FOVALIGN", "CREF5",
        "GEOLON", "DEADC"]  # fmt: skip
VALUES = st.one_of(
    st.text("abcDEPTmsTeV/()_,-' 12", max_size=9),
    st.integers(-5, 10**6),
    st.floats(-10, 10),
    st.booleans(),
)


def outcome(read, path: Path) -> str:
    """What an error says, or the path where there is none; errors of other kinds pass."""
    try:
        read()
    except ValueError as error:
        return str(error)
    return str(path)


@settings(max_examples=100)
@given(st.sampled_from(PARTS), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_any_header_reads_or_names_the_file(whole, part, header) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = rewritten(whole, Path(folder) / "broken.fits", part, header)
        assert "broken.fits" in outcome(lambda: reader(part)(path), path)


def rewritten(whole: Path, path: Path, part: str, header: dict) -> Path:
    """A copy with cards of one header replaced as bytes, which no library would write."""
    content = whole.read_bytes()
    start = content.index(f"EXTNAME = '{part.upper()}".encode())
    start = content.rindex(b"XTENSION", 0, start)
    for key, value in header.items():
        at = content.find(f"{key:<8}=".encode(), start)
        if at < 0 or (at - start) % 80:
            continue
        word = {True: "T", False: "F"}.get(value, value) if isinstance(value, bool) else value
        text = f"'{word}'" if isinstance(value, str) else f"{word:>20}"
        card = f"{key:<8}= {text}"[:80].ljust(80).encode()
        content = content[:at] + card + content[at + 80 :]
    path.write_bytes(content)
    return path


INDEX_KEYS = [f"{kind}{i}" for kind in ("TTYPE", "TFORM") for i in (1, 2, 5)]


@given(st.sampled_from(["obs", "hdu"]), st.dictionaries(st.sampled_from(INDEX_KEYS), VALUES))
def test_any_index_reads_or_names_the_file(whole, kind, header) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index in ("obs", "hdu"):
            content = (whole.parent / f"{index}-index.fits.gz").read_bytes()
            (folder / f"{index}-index.fits").write_bytes(gzip.decompress(content))
        path = folder / f"{kind}-index.fits"
        rewritten(path, path, f"{kind}_index", header)
        assert path.name in outcome(lambda: DataStore.from_dir(folder).missing, path)


def test_index_rows_without_files(whole, tmp_path) -> None:
    for index in ("obs", "hdu"):
        name = f"{index}-index.fits.gz"
        (tmp_path / name).write_bytes((whole.parent / name).read_bytes())
    store = DataStore.from_dir(tmp_path)
    assert store.obs_ids == store.missing == [1]
    assert len(store.get_observations(missing="skip")) == 0
    message = r"run 1: the index names .*run_000001\.fits\.gz for events, and there is no such"
    with pytest.raises(ValueError, match=message):
        store.obs(1)


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        ("hdu", "HDU_CLASS", "HDU_INDEX.: has no column HDU_CLASS"),
        ("hdu", "FILE_NAME", "has no index table with a column FILE_NAME"),
        ("obs", "OBS_ID", "has no index table with a column OBS_ID"),
    ],
)
def test_index_without_a_column(whole, tmp_path, kind, columns, message) -> None:
    for index in ("obs", "hdu"):
        with fits.open(whole.parent / f"{index}-index.fits.gz") as hdus:
            if index == kind:
                hdus[1].columns.change_name(columns, "OTHER")
            hdus.writeto(tmp_path / f"{index}-index.fits")
    with pytest.raises(ValueError, match=rf"{kind}-index\.fits.*{message}"):
        DataStore.from_dir(tmp_path)
