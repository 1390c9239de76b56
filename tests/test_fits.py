"""FITS files: found extensions, lazy reading, damage that is named."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy.io import fits

from gammajax.fits import FitsFile, table, write_tables


@pytest.fixture
def path(tmp_path):
    """A file of two tables."""
    columns = {"X": ("D", "m", np.arange(1000.0)), "NAME": ("3A", None, np.full(1000, "abc"))}
    hdus = [table("ONE", columns, NOTE="it's / here"), table("TWO", columns)]
    write_tables({tmp_path / "x.fits": hdus}, overwrite=False)
    return tmp_path / "x.fits"


def damaged(path, text: bytes, replacement: bytes, count: int = -1) -> None:
    content = path.read_bytes()
    assert text in content
    path.write_bytes(content.replace(text, replacement, count))


@pytest.mark.parametrize("packed", [False, True])
def test_an_extension_is_read_when_it_is_asked_for(path, packed) -> None:
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    file = FitsFile(path)
    assert file.names == ["PRIMARY", "ONE", "TWO"]
    assert file._read == {}
    np.testing.assert_array_equal(
        file.column(file.table("ONE"), "X", "cm"), 100 * np.arange(1e3)
    )
    assert [block.name for block in file._read] == ["ONE"]
    assert file.table("ONE") is file.table("ONE")
    assert [hdu.name for hdu in file.hdus] == file.names
    assert file.block("ZERO", "TWO").header["EXTNAME"] == "TWO"


def test_images_are_found(tmp_path) -> None:
    hdus = [fits.PrimaryHDU(np.ones((3, 4))), fits.ImageHDU(np.zeros((2, 5)), name="I")]
    fits.HDUList(hdus).writeto(tmp_path / "image.fits")
    file = FitsFile(tmp_path / "image.fits")
    assert [hdu.data.shape for hdu in file.hdus] == [(3, 4), (2, 5)]
    with pytest.raises(ValueError, match=r"image.fits: has no table I \(tables: I\)"):
        file.table("I")


def test_damage_of_one_extension_leaves_the_other(path) -> None:
    damaged(path, b"TFORM1  = 'D ", b"TFORM1  = '? ", 1)
    file = FitsFile(path)
    assert len(file.table("TWO").data) == 1000
    with pytest.raises(ValueError, match=r"x\.fits\[ONE\]: is damaged"):
        file.table("ONE")


@pytest.mark.parametrize(
    ("text", "replacement", "message"),
    [
        (b"BITPIX  = ", b"BITPAX  = ", "'BITPIX'"),
        (
            b"NAXIS2  =                 1000",
            b"NAXIS2  =             10000000",
            "ends within ONE",
        ),
        (
            b"NAXIS2  =                 1000",
            b"NAXIS2  =                 many",
            "invalid literal",
        ),
        (b"XTENSION", b"EXTENSON", "a header begins with 'EXTENSON'"),
        (b"TFIELDS =                    2", b"TFIELDS =                 2000", "2000 columns"),
    ],
)
def test_damaged_headers_are_named(path, text, replacement, message) -> None:
    damaged(path, text, replacement)
    with pytest.raises(ValueError, match=rf"x\.fits: is damaged or no FITS file \(.*{message}"):
        FitsFile(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 5760, b"\x1f\x8bxx"])
def test_what_is_no_fits_file(tmp_path, content) -> None:
    (tmp_path / "x.fits").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.fits: is damaged or no FITS file"):
        FitsFile(tmp_path / "x.fits")


def test_headers_are_read_as_astropy_reads_them(tmp_path) -> None:
    columns = {"X": ("D", None, np.zeros(2))}
    says = {"A": "it's / here", "B": -3, "C": 1.5e-20, "D": True, "E": False, "F": "", "G": "T",
            "H": "x" * 150, "A LONG KEYWORD": "y", "I": "  two", "J": 10**12}  # fmt: skip
    hdu = table("T", columns)
    for key, value in says.items():
        hdu.header["HIERARCH " + key if " " in key else key] = value
    hdu.header["NOTHING"] = None
    hdu.header["COMMENT"] = "not a value"
    write_tables({tmp_path / "x.fits": [hdu]}, overwrite=False)
    header = FitsFile(tmp_path / "x.fits").block("T").header
    assert {key: header[key] for key in says} == says
    assert "NOTHING" not in header
    assert "COMMENT" not in header
    with fits.open(tmp_path / "x.fits") as hdus:
        for key, value in header.items():
            assert hdus["T"].header[key] == value


@pytest.mark.parametrize(
    ("form", "values"), [("3A", np.array(["a", "b"])), ("C", np.array([1j, 2]))]
)
def test_columns_that_hold_no_numbers(tmp_path, form, values) -> None:
    write_tables(
        {tmp_path / "x.fits": [table("T", {"X": (form, None, values)})]}, overwrite=False
    )
    file = FitsFile(tmp_path / "x.fits")
    with pytest.raises(ValueError, match=r"x\.fits\[T\]: column X does not hold numbers"):
        file.column(file.table("T"), "X")
