// One clock for all relative times of the page.
import { ref } from "vue";

export const now = ref(Date.now());
window.setInterval(() => (now.value = Date.now()), 5000);
