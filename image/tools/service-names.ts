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
