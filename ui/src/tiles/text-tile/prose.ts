// A little of Markdown as a tree that the page renders itself: no HTML passes through. Paragraphs, headings, lists,
// **bold**, *italic*, `code`, [links](https://…).
export type Inline =
  { kind: "text" | "bold" | "italic" | "code"; text: string } | { kind: "link"; text: string; to: string };
export type Block = { kind: "paragraph" | "heading"; parts: Inline[] } | { kind: "list"; items: Inline[][] };

const inlines = /\*\*([^*]+)\*\*|\*([^*]+)\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)/g;
const isSafe = (to: string) => /^(https?:\/\/|mailto:|\/(?!\/))/.test(to);

export function inlineOf(text: string): Inline[] {
  const out: Inline[] = [];
  let last = 0;
  for (const match of text.matchAll(inlines)) {
    if (match.index > last) out.push({ kind: "text", text: text.slice(last, match.index) });
    last = match.index + match[0].length;
    if (match[1]) out.push({ kind: "bold", text: match[1] });
    else if (match[2]) out.push({ kind: "italic", text: match[2] });
    else if (match[3]) out.push({ kind: "code", text: match[3] });
    else if (isSafe(match[5]!)) out.push({ kind: "link", text: match[4]!, to: match[5]! });
    else out.push({ kind: "text", text: match[0] });
  }
  if (last < text.length) out.push({ kind: "text", text: text.slice(last) });
  return out;
}

export function proseOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (const part of text.trim().split(/\n\s*\n/)) {
    const lines = part.split("\n").map((line) => line.trim());
    if (lines.every((line) => /^[-*] /.test(line)))
      blocks.push({ kind: "list", items: lines.map((line) => inlineOf(line.slice(2))) });
    else if (/^#{1,4} /.test(lines[0]!) && lines.length === 1)
      blocks.push({ kind: "heading", parts: inlineOf(lines[0]!.replace(/^#+ /, "")) });
    else blocks.push({ kind: "paragraph", parts: inlineOf(lines.join(" ")) });
  }
  return blocks;
}
