/** The processes of the management plane that the image runs. */
export const serviceNames = [
  'gateway',
  'console',
  'network',
  'storage',
  'update',
  'security',
  'backup',
  'applications',
  'system',
] as const;

/** What the image has a bundle of: those, and the proxy, which runs only while one is configured. */
export const programNames = [...serviceNames, 'proxy'] as const;
