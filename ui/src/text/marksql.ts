// SQL cut into pieces for colouring; together they are the text again.
import { sqlWords } from "./sqlwords";

export interface Piece {
  kind: "word" | "text" | "number" | "comment" | "plain";
  text: string;
}

const words = new Set(sqlWords);
const piece =
  /(--[^\n]*|\/\*[\s\S]*?\*\/)|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?)|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|([A-Za-z_]\w*)/gi;

export function markSql(sql: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of sql.matchAll(piece)) {
    if (match.index > end) pieces.push({ kind: "plain", text: sql.slice(end, match.index) });
    end = match.index + match[0].length;
    pieces.push({ kind: kindOf(match), text: match[0] });
  }
  if (end < sql.length) pieces.push({ kind: "plain", text: sql.slice(end) });
  return pieces;
}

function kindOf(match: RegExpMatchArray): Piece["kind"] {
  if (match[1]) return "comment";
  if (match[2]) return "text";
  if (match[4]) return "number";
  return match[5] && words.has(match[5].toLowerCase()) ? "word" : "plain";
}
