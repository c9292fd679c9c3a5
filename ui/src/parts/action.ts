// What a button does: one thing at a time, and what went wrong stands on the page until the next one.
import { ref, shallowRef } from "vue";

export function useAction() {
  const problem = shallowRef<{ message: string }>();
  const doing = ref(""); // the name of what is under way
  async function act(what: () => Promise<unknown>, name = "it"): Promise<boolean> {
    problem.value = undefined;
    doing.value = name;
    try {
      await what();
      return true;
    } catch (caught) {
      problem.value = caught as Error;
      return false;
    } finally {
      doing.value = "";
    }
  }
  return { problem, doing, act };
}
