// Light or dark: as the system says, or as was chosen here.
import { ref } from "vue";

export type Theme = "system" | "light" | "dark";

const system = window.matchMedia("(prefers-color-scheme: dark)");
export const theme = ref<Theme>((localStorage.getItem("tarn.theme") as Theme | null) ?? "system");
export const isDark = ref(false);

export function applyTheme(): void {
  isDark.value = theme.value === "dark" || (theme.value === "system" && system.matches);
  document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem("tarn.theme", chosen);
  applyTheme();
}

system.addEventListener("change", applyTheme);
