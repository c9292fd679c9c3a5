"""A task of flows/shares.yml: gets one row on its standard input, and gives a sentence as its result."""

import json
import os
import sys

asked = json.load(sys.stdin)
row = asked["row"]
sentence = f"{row['symbol']} rose by {row['best']:.1f} % on its best day and fell by {-row['worst']:.1f} % on its worst."
print(sentence)
with open(os.environ["TARN_RESULT"], "w", encoding="utf-8") as file:
    json.dump({"sentence": sentence}, file)
