"""Where the files of this repository are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "vpcdns.yaml"
REHEARSALS = ROOT / "examples" / "rehearsals"
