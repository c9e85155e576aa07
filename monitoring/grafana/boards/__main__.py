"""Write the dashboard files. `make pages` runs this."""

from pathlib import Path

from boards import files

FOLDER = Path(__file__).parents[1] / "dashboards"

for name, text in files().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
