"""`python -m gateway` that knows some more products: `python -m tests.bench.product_gateway FOLDER ARGUMENTS…`.

FOLDER holds their profile files.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gateway import lean


def main(folder: Path) -> None:
    """Runs the gateway's own command line."""
    # As its own start does, before anything large is imported.
    lean.give_back()
    lean.keep_out()
    from config import load as loading  # noqa: PLC0415
    from drivers.profiles.files import load  # noqa: PLC0415
    from drivers.profiles.profile import Profile  # noqa: PLC0415
    from gateway.__main__ import app  # noqa: PLC0415

    def own_or_shipped(profile: str) -> Profile:
        return load(profile, folder) if (folder / f"{profile}.yaml").exists() else load(profile)

    setattr(loading, "load", own_or_shipped)  # noqa: B010 - the name is the function's own import
    app(args=sys.argv[2:])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
