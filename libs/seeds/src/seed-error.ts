/**
 * A seed that is there and can't be used. The message is a sentence for the log and quotes no values, since seeds
 * hold secrets.
 */
export class SeedError extends Error {
  override readonly name = 'SeedError';

  /**
   * @param file - such as `network.yaml`, or the device when it can't be read
   * @param field - path of the field, such as `interfaces[0].mtu`; empty for the file as a whole
   * @param reason - such as `is not a known key`
   */
  constructor(
    readonly file: string,
    readonly field: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super([file, field, reason].filter((part) => part !== '').join(': '), options);
  }
}

const missingTexts = {
  partition: 'no seed partition could be found',
  data: 'no seed data present in the partition',
  section: "requested seed section couldn't be found",
} as const;

/** There is no such seed, which is nobody's mistake. */
export class SeedMissingError extends Error {
  override readonly name = 'SeedMissingError';

  constructor(missing: keyof typeof missingTexts) {
    super(missingTexts[missing]);
  }
}
