"""Write the constraints file of the Python that runs this: one pinned version a line.

``make constraints`` calls it; it needs network access to a package index. pip resolves the
package with all its extras and says what it would install; nothing is installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path


def resolved(project: Path) -> dict[str, str]:
    """Name and version of every package that an installation with all tools would bring."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", f"{project}[dev]"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = {}
    for item in report["install"]:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        found[name] = item["metadata"]["version"]
    found.pop("gammajax")
    return found


def main() -> None:
    here = Path(__file__).resolve().parent
    pins = resolved(here.parent)
    target = here / f"py{sys.version_info.major}{sys.version_info.minor}.txt"
    lines = [f"{name}=={pins[name]}" for name in sorted(pins)]
    target.write_text("\n".join(lines) + "\n")
    print(f"{target.name}: {len(lines)} versions pinned")


if __name__ == "__main__":
    main()
