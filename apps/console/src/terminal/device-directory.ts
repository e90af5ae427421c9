/** Where the devices of terminals are: `/dev`, or what `INCUSOS_DEVICE_DIR` says. */
export function deviceDirectory(): string {
  return process.env['INCUSOS_DEVICE_DIR'] ?? '/dev';
}
