"""The same work as in `test_catalog.py` with gammapy, run by the Python that has it.

    python benchmarks/peer_catalog.py TAG FILE

reads a catalogue and makes models of all sources that become one; prints seconds as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")


def main(tag: str, file: str) -> None:
    from gammapy.catalog import CATALOG_REGISTRY
    from gammapy.modeling.models import Models

    start = time.perf_counter()
    catalog = CATALOG_REGISTRY.get_cls(tag)(file)
    read = time.perf_counter() - start
    start = time.perf_counter()
    found = []
    for source in catalog:
        try:
            found.append(source.sky_model())
        except Exception:  # a template that is missing
            continue
    models = Models(found)
    made = time.perf_counter() - start
    start = time.perf_counter()
    for par in models.parameters:
        par.frozen = True
    frozen = time.perf_counter() - start
    print(json.dumps({"read": read, "models": made, "freeze": frozen, "sources": len(models)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
