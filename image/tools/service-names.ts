/** The processes of the management plane that the image runs. */
export const serviceNames = [
  'gateway',
  'network',
  'storage',
  'update',
  'security',
  'backup',
  'applications',
  'system',
] as const;
