"""Draws what a terminal showed as an SVG: python3 tools/terminal_picture.py < output.txt > docs/images/demo.svg"""

import html
import sys
import unicodedata

FONT, LINE, CELL, PAD = 14, 19, 8.43, 18


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    across = max(map(width, lines)) * CELL + 2 * PAD
    down = len(lines) * LINE + 2 * PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:.0f}" height="{down:.0f}" font-size="{FONT}" '
          'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">')
    print('<rect width="100%" height="100%" rx="8" fill="#16202a"/>')
    for number, line in enumerate(lines):
        colour = "#8fd0ff" if line.startswith("$ ") else "#d7dee5"
        print(f'<text x="{PAD}" y="{PAD + LINE * (number + 0.75):.1f}" fill="{colour}" xml:space="preserve" '
              f'textLength="{width(line) * CELL:.1f}" lengthAdjust="spacingAndGlyphs">{html.escape(line)}</text>' if line else "")
    print("</svg>")


if __name__ == "__main__":
    main()
