/** `/proc/modules` (proc(5)). */
import type { DebugKernelModule } from '@incusos/contracts/system';

/** The loaded modules by name, each with those it depends on. */
export function parseModules(text: string): DebugKernelModule[] {
  const modules = new Map<string, DebugKernelModule>();
  const at = (name: string): DebugKernelModule => {
    const known = modules.get(name) ?? { name, dependencies: [], in_use: false };
    modules.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const [name, , references, users] = line.split(/\s+/u);
    if (name === undefined || references === undefined || users === undefined) continue;
    at(name).in_use = references !== '0';
    // The fourth column names the modules that need this one.
    for (const user of users === '-' ? [] : users.split(',')) {
      if (user !== '' && !user.startsWith('[')) at(user).dependencies.push(name);
    }
  }
  for (const module of modules.values()) module.dependencies.sort();
  return [...modules.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
