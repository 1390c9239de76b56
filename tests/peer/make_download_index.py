"""The index of datasets that ``gammajax download`` fetches, from a folder that has them.

    python tests/peer/make_download_index.py $GAMMAPY_DATA

writes ``gammajax/cli/templates/datasets.yaml``: paths of the public repository
https://github.com/gammapy/gammapy-data with the checksums of the files in the folder.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

BASE = "https://raw.githubusercontent.com/gammapy/gammapy-data/main/"
TARGET = (
    Path(__file__).resolve().parents[2] / "gammajax" / "cli" / "templates" / "datasets.yaml"
)

DATASETS = {
    "hess-dl3-dr1": "H.E.S.S. public test data: runs on the Crab nebula and PKS 2155-304 (DL3)",
    "cta-1dc": "CTA first data challenge: two runs on the Galactic centre (DL3)",
    "cta-caldb": "CTAO prod5 responses, North and South",
    "joint-crab": "Spectra of the Crab nebula by several telescopes (OGIP), MAGIC runs",
    "magic": "MAGIC runs on the Crab nebula, point-like responses",
    "fermi-3fhl-crab": "Counts cube of the Crab nebula, Fermi-LAT above 10 GeV",
    "fermi-3fhl-gc": "Counts cube of the Galactic centre, Fermi-LAT",
    "fermi_3fhl": "Point spread function and isotropic spectrum, Fermi-LAT",
    "catalogs": "Catalogues of gamma-ray sources",
    "ebl": "Absorption by the extragalactic background light",
}
SUFFIXES = {".fits", ".gz", ".yaml", ".fz", ".txt", ".dat", ".ecsv", ".xml"}


def main(folder: str) -> None:
    root = Path(folder)
    lines = [f"base_url: {BASE}", "datasets:"]
    for name, description in DATASETS.items():
        lines += [f"  {name}:", f"    description: {description!r}", "    files:"]
        for path in sorted((root / name).rglob("*")):
            if path.is_file() and path.suffix in SUFFIXES:
                data = path.read_bytes()
                digest = hashlib.sha256(data).hexdigest()
                place = path.relative_to(root).as_posix()
                lines.append(f"      {place}: {{size: {len(data)}, sha256: '{digest}'}}")
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
