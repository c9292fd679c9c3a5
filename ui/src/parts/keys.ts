// Keys of the whole page stand still while somebody writes.
export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.("input, textarea, select, [contenteditable=true], .cm-editor, [role=grid]");
}
