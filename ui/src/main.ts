import "./theme.css";

import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";

import { onLoggedOut } from "./api/client";
import { disconnect } from "./api/live";
import { forgetAll } from "./api/resource";
import App from "./App.vue";
import { applyTheme } from "./parts/theme";
import Home from "./rooms/home/Home.vue";

applyTheme();

const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", name: "home", component: Home, meta: { title: "Home" } },
    {
      path: "/login",
      name: "login",
      component: () => import("./rooms/login/Login.vue"),
      meta: { title: "Log in" },
    },
    {
      path: "/data",
      component: () => import("./rooms/data/DataRoom.vue"),
      meta: { title: "Data" },
      children: [
        { path: "", name: "data", component: () => import("./rooms/data/DataStart.vue") },
        { path: "quality", name: "quality", component: () => import("./rooms/data/QualityPage.vue") },
        { path: ":schema/:name", name: "table", component: () => import("./rooms/data/TablePage.vue") },
      ],
    },
    {
      path: "/flow",
      component: () => import("./rooms/flow/FlowRoom.vue"),
      meta: { title: "Flow" },
      children: [
        { path: "", name: "graph", component: () => import("./rooms/flow/GraphPage.vue") },
        { path: "runs", name: "runs", component: () => import("./rooms/flow/RunsPage.vue") },
        { path: "flows", name: "flows", component: () => import("./rooms/flow/FlowsPage.vue") },
        { path: "flows/:name", name: "flow", component: () => import("./rooms/flow/FlowPage.vue") },
        { path: "schedules", name: "schedules", component: () => import("./rooms/flow/SchedulesPage.vue") },
        { path: "calendar", name: "calendar", component: () => import("./rooms/flow/CalendarPage.vue") },
        { path: "backfill", name: "backfill", component: () => import("./rooms/flow/BackfillPage.vue") },
        {
          path: "quarantine",
          name: "quarantine",
          component: () => import("./rooms/flow/QuarantinePage.vue"),
        },
        { path: "runs/:id", name: "run", component: () => import("./rooms/flow/RunPage.vue") },
      ],
    },
    {
      path: "/boards",
      name: "boards",
      component: () => import("./rooms/boards/BoardsRoom.vue"),
      meta: { title: "Boards" },
    },
    {
      path: "/boards/:name",
      name: "board",
      component: () => import("./rooms/boards/BoardPage.vue"),
      meta: { title: "Board" },
    },
    {
      path: "/reports",
      name: "reports",
      component: () => import("./rooms/reports/ReportsRoom.vue"),
      meta: { title: "Reports" },
    },
    {
      path: "/reports/:name",
      name: "report",
      component: () => import("./rooms/reports/ReportPage.vue"),
      meta: { title: "Report" },
    },
    {
      path: "/sent",
      name: "mails",
      component: () => import("./rooms/reports/SentMails.vue"),
      meta: { title: "Sent mails" },
    },
    {
      path: "/alerts",
      name: "alerts",
      component: () => import("./rooms/alerts/AlertsPage.vue"),
      meta: { title: "Alerts" },
    },
    {
      path: "/share/:secret",
      name: "share",
      component: () => import("./rooms/share/SharedBoard.vue"),
      meta: { title: "Board" },
    },
    { path: "/sql", name: "sql", component: () => import("./rooms/sql/SqlRoom.vue"), meta: { title: "SQL" } },
    {
      path: "/settings",
      name: "settings",
      component: () => import("./rooms/settings/Settings.vue"),
      meta: { title: "Settings" },
    },
    { path: "/:rest(.*)", redirect: "/" },
  ],
});

router.afterEach((to) => {
  const name = to.params.name ?? to.params.id;
  document.title = `${name ? `${String(name)} · ` : ""}${String(to.meta.title ?? "Tarn")} · Tarn`;
});

onLoggedOut(() => {
  disconnect();
  forgetAll();
  const here = router.currentRoute.value;
  if (here.name !== "login") void router.replace({ name: "login", query: { next: here.fullPath } });
});

createApp(App).use(router).mount("#app");
