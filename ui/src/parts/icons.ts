// Outlines of 20 by 20, drawn with a stroke.
export const icons = {
  home: "M3 9.5 10 3l7 6.5M5 8.5V17h10V8.5M8.5 17v-5h3v5",
  data: "M4 5c0-1.4 2.7-2.2 6-2.2S16 3.6 16 5 13.3 7.2 10 7.2 4 6.4 4 5zM4 5v10c0 1.4 2.7 2.2 6 2.2s6-.8 6-2.2V5M4 10c0 1.4 2.7 2.2 6 2.2s6-.8 6-2.2",
  flow: "M3 4h5v4H3zM12 3h5v4h-5zM12 13h5v4h-5zM8 6h2v-1h2M10 6v9h2",
  sql: "M3 4h14v12H3zM6 8l2.5 2L6 12M10 12.5h4",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M11 4v4h4V4zM5 12v4h4v-4z",
  bell: "M10 3a5 5 0 0 1 5 5v3l1.5 3h-13L5 11V8a5 5 0 0 1 5-5zM8.3 16.5h3.4",
  search: "M8.5 3a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM12.5 12.5 17 17",
  report: "M5 2.8h7l3 3v11.4H5zM12 2.8v3h3M7.5 9h5M7.5 11.8h5M7.5 14.6h3",
  mail: "M3 5h14v10H3zM3 5.5l7 5.5 7-5.5",
  table: "M3 4h14v12H3zM3 8h14M8 8v8",
  view: "M2 10c2-4 5-6 8-6s6 2 8 6c-2 4-5 6-8 6s-6-2-8-6zM10 7.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  play: "M6 4l10 6-10 6z",
  stop: "M5 5h10v10H5z",
  close: "M5 5l10 10M15 5 5 15",
  plus: "M10 4v12M4 10h12",
  clock: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM10 6v4l3 2",
  chart: "M3 17h14M5 14V9M9 14V5M13 14v-3M16 14V7",
  download: "M10 3v9M6 9l4 4 4-4M4 16h12",
  link: "M8 12 12 8M7 9 5 11a3 3 0 0 0 4 4l2-2M13 11l2-2a3 3 0 0 0-4-4L9 7",
} as const;
export type IconName = keyof typeof icons;
