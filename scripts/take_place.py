"""Put a trained pipeline in the place of an earlier one, which stays there while training may still fail."""

import shutil
import sys
from pathlib import Path

from ossamma_spacy.files import replace_folder


def main(trained: Path, place: Path) -> None:
    with replace_folder(place) as folder:
        for name in ("model-best", "model-last"):
            shutil.move(trained / name, folder / name)
    shutil.rmtree(trained)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
