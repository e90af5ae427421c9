/** A size as ZFS' tools print it for people (zfs_nicenum): up to three digits and a letter, such as `9.5G`. */
export function sizeText(bytes: number): string {
  const step = bytes < 1024 ? 0 : Math.min(5, Math.floor(Math.log2(bytes) / 10));
  if (step === 0) return `${bytes}B`;
  const amount = bytes / 1024 ** step;
  const digits = Number.isInteger(amount) || amount >= 100 ? 0 : amount >= 10 ? 1 : 2;
  return `${amount.toFixed(digits)}${'KMGTP'.charAt(step - 1)}`;
}

const units: Readonly<Record<string, bigint>> = {
  '': 1n,
  K: 1024n,
  M: 1024n ** 2n,
  G: 1024n ** 3n,
  T: 1024n ** 4n,
};

/** Bytes from a size as these tools take it, such as `16K`; `undefined` when it is none. */
export function sizeBytes(text: string): bigint | undefined {
  if (text === 'none') return 0n;
  const match = /^(\d+)([KMGT]?)B?$/iu.exec(text);
  return match === null ? undefined : BigInt(match[1] ?? 0) * (units[(match[2] ?? '').toUpperCase()] ?? 1n);
}
