"""Pillow's side, a drawing on a canvas of 280 pixels, then resized: python pillow_strokes.py INPUTS"""

import json
import sys
from pathlib import Path

from pillow_drawing import drawn
from rounds import rounds

drawing = json.loads((Path(sys.argv[1]) / "bodies" / "strokes.body").read_text())["strokes"]
drawing = [[tuple(point) for point in stroke] for stroke in drawing]
rounds(lambda: drawn(drawing), times=300)
