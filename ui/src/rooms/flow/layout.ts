// Where the tasks of the graph stand and how the edges run.
import dagre from "@dagrejs/dagre";

export interface Node {
  name: string;
  upstream: string[];
}
// A table in a database of others: "shop.public.orders".
export interface Outside extends Node {
  kind: "outside";
}
export interface Placed<T> {
  task: T;
  x: number; // of the middle
  y: number;
}
export interface Edge {
  from: string;
  to: string;
  path: string;
}
export interface Layout<T> {
  nodes: Placed<T>[];
  edges: Edge[];
  width: number;
  height: number;
}

// Tables of attachments stand before the tasks that read them.
export function withOutside<T extends Node & { outside: string[] }>(tasks: T[]): (T | Outside)[] {
  const tables = [...new Set(tasks.flatMap((task) => task.outside))].sort();
  return [
    ...tables.map((name) => ({ name, upstream: [], kind: "outside" as const })),
    ...tasks.map((task) => ({ ...task, upstream: [...task.upstream, ...task.outside] })),
  ];
}

export const nodeWidth = 216;
export const nodeHeight = 44;

export function layOut<T extends Node>(tasks: T[]): Layout<T> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 56, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(tasks.map((task) => task.name));
  for (const task of tasks) graph.setNode(task.name, { width: nodeWidth, height: nodeHeight });
  for (const task of tasks) {
    for (const name of task.upstream) if (known.has(name)) graph.setEdge(name, task.name);
  }
  dagre.layout(graph);
  const size = graph.graph();
  return {
    nodes: tasks.map((task) => ({ task, x: graph.node(task.name).x, y: graph.node(task.name).y })),
    edges: graph.edges().map(({ v, w }) => {
      const [from, to] = [graph.node(v), graph.node(w)];
      const between = graph.edge({ v, w }).points.slice(1, -1);
      const middle = between.filter(
        (point) => point.x > from.x + nodeWidth / 2 && point.x < to.x - nodeWidth / 2,
      );
      const start = { x: from.x + nodeWidth / 2, y: from.y };
      return { from: v, to: w, path: curve([start, ...middle, { x: to.x - nodeWidth / 2, y: to.y }]) };
    }),
    width: Math.max(0, size.width ?? 0),
    height: Math.max(0, size.height ?? 0),
  };
}

function curve(points: { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let path = `M${first.x},${first.y}`;
  let last = first;
  for (const point of rest) {
    const middle = (last.x + point.x) / 2;
    path += ` C${middle},${last.y} ${middle},${point.y} ${point.x},${point.y}`;
    last = point;
  }
  return path;
}

// Everything above and below a task, and the task itself.
export function kinOf(tasks: Node[], name: string): Set<string> {
  const up = new Map(tasks.map((task) => [task.name, task.upstream]));
  const down = new Map<string, string[]>();
  for (const task of tasks)
    for (const from of task.upstream) down.set(from, [...(down.get(from) ?? []), task.name]);
  const kin = new Set<string>([name]);
  for (const edges of [up, down]) {
    const todo = [name];
    while (todo.length) {
      for (const next of edges.get(todo.pop()!) ?? []) {
        if (kin.has(next)) continue;
        kin.add(next);
        todo.push(next);
      }
    }
  }
  return kin;
}
