// Moving and resizing tiles on the grid of 12 columns. Pure.
export type Box = [x: number, y: number, width: number, height: number];
export const columns = 12;

const overlap = (a: Box, b: Box) =>
  a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];

export function within(box: Box): Box {
  const width = Math.min(Math.max(1, box[2]), columns);
  return [Math.min(Math.max(0, box[0]), columns - width), Math.max(0, box[1]), width, Math.max(1, box[3])];
}

// The tile goes where it is put; what is in its way moves down, and what that hits, too.
export function put(boxes: Map<string, Box>, id: string, wanted: Box): Map<string, Box> {
  const out = new Map(boxes);
  out.set(id, within(wanted));
  const fixed = new Set([id]);
  const others = [...boxes.keys()]
    .filter((one) => one !== id)
    .sort((a, b) => out.get(a)![1] - out.get(b)![1] || out.get(a)![0] - out.get(b)![0]);
  for (const other of others) {
    let box = out.get(other)!;
    for (let hit = true; hit;) {
      const inWay: string | undefined = [...fixed].find((one) => overlap(out.get(one)!, box));
      hit = inWay !== undefined;
      if (inWay) box = [box[0], out.get(inWay)![1] + out.get(inWay)![3], box[2], box[3]];
    }
    out.set(other, box);
    fixed.add(other);
  }
  return out;
}
