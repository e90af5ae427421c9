/** The x86-64 level from what the dynamic loader says of its library directories, such as `x86_64_v3`. */
export function cpuBaseline(help: string): string {
  const supported = /^\s+x86-64-v(\d) \(supported/mu.exec(help)?.[1];
  return supported === undefined ? 'x86_64_v1' : `x86_64_v${supported}`;
}
